"""Jobs whose effects are committed."""

from datetime import datetime
from uuid import UUID

from headwater.kernel.database import ReadingTransaction, WritingTransaction


async def add_finished(tx: WritingTransaction, job_id: UUID, job: str) -> bool:
    """Whether this transaction is the one that finishes the job; waits for another one that might."""
    return bool(
        await tx.execute(
            """
            insert into system.finished (job_id, job, finished_at) values ($1, $2, $3) on conflict (job_id) do nothing
            """,
            job_id,
            job,
            tx.now,
        )
    )


async def is_finished(tx: ReadingTransaction, job_id: UUID) -> bool:
    """Whether the job's effects are committed."""
    return bool(await tx.value("select exists (select from system.finished where job_id = $1)", job_id))


async def remove_finished(tx: WritingTransaction, before: datetime) -> None:
    """Forget the ids of jobs that finished before a moment, except the last of each name: it tells of its last run."""
    await tx.execute(
        """
        delete from system.finished old
        where finished_at < $1 and exists (
          select from system.finished newer where newer.job = old.job and newer.finished_at > old.finished_at
        )
        """,
        before,
    )
