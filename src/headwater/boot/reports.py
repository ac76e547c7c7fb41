"""What the command line tells of jobs, as people read it."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from headwater.kernel.jobs import FailedJob, Overview

_NEVER = "-"


def told_overview(overview: Overview) -> Iterator[str]:
    """Jobs, timers and workers, each as a table."""
    jobs = [
        (
            job.name if job.declared else f"{job.name} (not in this version)",
            job.state,
            *(str(count) for count in (job.queued, job.waiting, job.running, job.failures)),
            _moment(job.last_run),
            _moment(job.next_run),
        )
        for job in overview.jobs
    ]
    yield from _table(("JOB", "STATE", "QUEUED", "WAITING", "RUNNING", "FAILURES", "LAST RUN", "NEXT RUN"), jobs)
    yield ""
    timers = [
        (timer.name, timer.state, timer.rhythm, str(timer.failures), _moment(timer.last_run), _moment(timer.next_run))
        for timer in overview.timers
    ]
    yield from _table(("TIMER", "STATE", "RHYTHM", "FAILURES", "LAST RUN", "NEXT RUN"), timers)
    yield ""
    workers = [(worker.place, str(worker.running), _moment(worker.started_at)) for worker in overview.workers]
    yield from _table(("WORKER", "RUNNING", "SINCE"), workers)


def told_failures(failures: Sequence[FailedJob]) -> Iterator[str]:
    """Failed jobs, each in three lines; their tracebacks are in the JSON."""
    for failed in failures:
        yield f"{failed.id}  {failed.job}  {_moment(failed.failed_at)}  {failed.attempts} attempts"
        yield f"  called with  {bytes(failed.arguments).decode()}"
        yield f"  failed with  {failed.error.strip()}"
    if not failures:
        yield "no failures"


def _moment(moment: datetime | None) -> str:
    return _NEVER if moment is None else f"{moment:%Y-%m-%d %H:%M:%SZ}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
