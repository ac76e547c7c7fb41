"""Jobs that failed for good."""

from datetime import datetime

import msgspec

from headwater.kernel.database import ReadingTransaction, WritingTransaction
from headwater.kernel.jobs.models import FailedJob, Retried, Selection


async def list_failed(tx: ReadingTransaction, selection: Selection, limit: int) -> list[FailedJob]:
    """The failed jobs that are meant, the latest first."""
    rows = await tx.rows(
        """
        select id, name as job, arguments, priority, unique_key, attempts, enqueued_at, failed_at, error, traceback
        from system.jobs
        where state = 'failed' and ($1::uuid is null or id = $1) and ($2::text is null or name = $2)
        order by failed_at desc, id limit $3
        """,
        selection.id,
        selection.job,
        limit,
    )
    return [
        FailedJob(
            id=row["id"],
            job=row["job"],
            arguments=msgspec.Raw(row["arguments"]),
            priority=row["priority"],
            unique_key=row["unique_key"],
            attempts=row["attempts"],
            enqueued_at=row["enqueued_at"],
            failed_at=row["failed_at"],
            error=row["error"],
            traceback=row["traceback"],
        )
        for row in rows
    ]


async def retry_failed(tx: WritingTransaction, selection: Selection) -> Retried:
    """Queue the failed jobs that are meant as if they were called now, under their ids; attempts count from 1 again.

    One whose unique key is another job's by now joins that.
    """
    row = await tx.row(
        """
        with taken as (
          delete from system.jobs
          where state = 'failed' and ($1::uuid is null or id = $1) and ($2::text is null or name = $2)
          returning id, name, arguments, priority, unique_key, enqueued_at, number
        ), queued as (
          insert into system.jobs (id, name, arguments, priority, unique_key, state, due, enqueued_at)
          select id, name, arguments, priority, unique_key, 'queued', $3, enqueued_at from taken order by number
          on conflict (name, unique_key) where unique_key is not null and state <> 'failed' do nothing
          returning id
        )
        select (select count(*) from taken) as taken, (select count(*) from queued) as queued
        """,
        selection.id,
        selection.job,
        tx.now,
    )
    taken, queued = (row["taken"], row["queued"]) if row else (0, 0)
    return Retried(queued=queued, joined=taken - queued)


async def discard_failed(tx: WritingTransaction, selection: Selection) -> int:
    """Remove the failed jobs that are meant, for ever; how many."""
    return await tx.execute(
        """
        delete from system.jobs
        where state = 'failed' and ($1::uuid is null or id = $1) and ($2::text is null or name = $2)
        """,
        selection.id,
        selection.job,
    )


async def remove_old_failures(tx: WritingTransaction, before: datetime) -> None:
    """Remove jobs that failed for good before a moment."""
    await tx.execute("delete from system.jobs where state = 'failed' and failed_at < $1", before)
