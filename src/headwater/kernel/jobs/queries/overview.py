"""What is told of jobs, timers and workers."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from headwater.kernel.database import ReadingTransaction, Row


class JobCounts(msgspec.Struct, frozen=True):
    """The rows of one job by their state; `oldest` is since when a queued one could have run."""

    name: str
    queued: int
    waiting: int
    running: int
    failed: int
    oldest: datetime | None
    next_due: datetime | None
    last_failure: datetime | None


async def list_counts(tx: ReadingTransaction) -> list[JobCounts]:
    """Every job that has rows, by name."""
    rows = await tx.rows(
        """
        select name,
          count(*) filter (where state = 'queued') as queued,
          count(*) filter (where state = 'waiting') as waiting,
          count(*) filter (where state = 'running') as running,
          count(*) filter (where state = 'failed') as failed,
          min(due) filter (where state = 'queued') as oldest,
          min(due) filter (where state = 'waiting') as next_due,
          max(failed_at) as last_failure
        from system.jobs group by name order by name
        """
    )
    return [JobCounts(**row) for row in rows]


async def list_last_runs(tx: ReadingTransaction, names: Sequence[str]) -> dict[str, datetime]:
    """When each job last finished, for those that ever did and are not forgotten."""
    rows = await tx.rows(
        """
        select name, (select max(finished_at) from system.finished where job = name) as finished_at
        from unnest($1::text[]) as asked (name)
        """,
        names,
    )
    return {row["name"]: row["finished_at"] for row in rows if row["finished_at"] is not None}


async def list_timers(tx: ReadingTransaction) -> list[Row]:
    """Every timer that was ever declared here, by name."""
    return await tx.rows(
        "select name, rhythm, due, last_run, last_seconds, failures, error from system.timers order by name"
    )


async def list_workers(tx: ReadingTransaction) -> list[Row]:
    """Every worker that has not been given up, the oldest first."""
    return await tx.rows(
        """
        select place, started_at, (select count(*) from system.jobs where worker = workers.id) as running
        from system.workers order by started_at, place
        """
    )


async def measure_lags(tx: ReadingTransaction, timers: Sequence[str]) -> dict[str, float]:
    """By how many seconds each of the timers is late; 0 if it is not."""
    rows = await tx.rows(
        """
        select name, greatest(extract(epoch from $2 - beat), 0)::float8 as lag
        from system.timers where name = any($1::text[]) order by name
        """,
        timers,
        tx.now,
    )
    return {row["name"]: row["lag"] for row in rows}
