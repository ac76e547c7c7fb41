"""How every job, timer and worker is, and what is done about failures."""

from collections.abc import Collection
from typing import Literal

from headwater.kernel.database import ReadingTransaction, Row
from headwater.kernel.jobs import queries
from headwater.kernel.jobs.models import JobReport, Overview, TimerReport, WorkerReport

_NOTHING = (0, 0, 0, 0, None, None, None)


async def survey(tx: ReadingTransaction, declared: Collection[str]) -> Overview:
    """Every declared job, and those that wait for another version; every timer and worker."""
    counted = {count.name: count for count in await queries.list_counts(tx)}
    names = sorted({*declared, *counted})
    last_runs = await queries.list_last_runs(tx, names)
    jobs: list[JobReport] = []
    for name in names:
        count = counted.get(name, queries.JobCounts(name, *_NOTHING))
        jobs.append(
            JobReport(
                name=name,
                state=_state(count),
                declared=name in declared,
                queued=count.queued,
                waiting=count.waiting,
                running=count.running,
                failures=count.failed,
                oldest=count.oldest,
                last_run=last_runs.get(name),
                last_failure=count.last_failure,
                next_run=count.oldest or count.next_due,
            )
        )
    timers = tuple(_timer(tx, row) for row in await queries.list_timers(tx))
    workers = tuple(WorkerReport(**row) for row in await queries.list_workers(tx))
    return Overview(jobs=tuple(jobs), timers=timers, workers=workers)


def _state(count: queries.JobCounts) -> Literal["running", "queued", "waiting", "idle"]:
    if count.running:
        return "running"
    if count.queued:
        return "queued"
    return "waiting" if count.waiting else "idle"


def _timer(tx: ReadingTransaction, row: Row) -> TimerReport:
    state = "failing" if row["failures"] else "due" if row["due"] <= tx.now else "scheduled"
    return TimerReport(
        name=row["name"],
        rhythm=row["rhythm"],
        state=state,
        last_run=row["last_run"],
        last_seconds=row["last_seconds"],
        next_run=row["due"],
        failures=row["failures"],
        error=row["error"],
    )
