"""Every statement of the jobs that is not pgqueuer's."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from headwater.kernel.database import ReadingTransaction, WritingTransaction
from headwater.kernel.jobs.models import Ticket


class Agenda(msgspec.Struct, frozen=True):
    """What waits for its time: timers that are due, and when the next job or timer will be."""

    timers: tuple[str, ...]
    next_job: datetime | None
    next_timer: datetime | None


async def count_attempts(tx: WritingTransaction, rows: Sequence[int]) -> dict[int, int]:
    """Count one more attempt for rows of the queue; their counts. A worker that dies has then used one up."""
    counted = await tx.rows(
        "update system.pgqueuer set attempts = attempts + 1 where id = any($1::bigint[]) returning id, attempts", rows
    )
    return {row["id"]: row["attempts"] for row in counted}


async def lock_picked(tx: WritingTransaction, row: int, worker: UUID) -> bool:
    """Whether the row of the queue is still the worker's; if so nobody else touches it before commit."""
    return bool(
        await tx.value(
            """
            select true from system.pgqueuer where id = $1 and queue_manager_id = $2 and status = 'picked'
            for update -- the row leaves the queue next
            """,
            row,
            worker,
        )
    )


async def release_picked(tx: WritingTransaction, worker: UUID) -> int:
    """Put everything the worker still holds back, as if it had never been picked; how many rows."""
    return await tx.execute(
        """
        update system.pgqueuer set status = 'queued', queue_manager_id = null, attempts = greatest(attempts - 1, 0)
        where queue_manager_id = $1 and status = 'picked'
        """,
        worker,
    )


async def find_undeclared(tx: ReadingTransaction, declared: Sequence[str]) -> list[str]:
    """Names of queued jobs that are not among the declared ones."""
    rows = await tx.rows(
        "select distinct entrypoint from system.pgqueuer where status = 'queued' and entrypoint <> all($1::text[])",
        declared,
    )
    return [row["entrypoint"] for row in rows]


async def add_finished(tx: WritingTransaction, job_id: UUID) -> bool:
    """Whether this transaction is the one that finishes the job; waits for another one that might."""
    return bool(
        await tx.execute(
            "insert into system.finished (job_id, finished_at) values ($1, $2) on conflict (job_id) do nothing",
            job_id,
            tx.now,
        )
    )


async def is_finished(tx: ReadingTransaction, job_id: UUID) -> bool:
    """Whether the job's effects are committed."""
    return bool(await tx.value("select exists (select from system.finished where job_id = $1)", job_id))


async def add_waiting_jobs(tx: WritingTransaction, tickets: Sequence[Ticket], due: Sequence[datetime]) -> None:
    """Let tickets wait until they are due."""
    await tx.execute(
        """
        insert into system.timers (job_id, name, attempts, arguments, due)
        select job_id, name, attempts, arguments::json, due
        from unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::timestamptz[])
          as waiting (job_id, name, attempts, arguments, due)
        """,
        [ticket.id for ticket in tickets],
        [ticket.job for ticket in tickets],
        [ticket.attempts for ticket in tickets],
        [bytes(ticket.arguments).decode() for ticket in tickets],
        due,
    )


async def take_due_jobs(tx: WritingTransaction, limit: int) -> list[Ticket]:
    """Take tickets that are due, the longest overdue first, and that no other node is taking."""
    rows = await tx.rows(
        """
        with due as (
          select job_id from system.timers where job_id is not null and due <= $1
          order by due limit $2 for update skip locked -- the rows are removed below
        )
        delete from system.timers waiting using due where waiting.job_id = due.job_id
        returning waiting.job_id, waiting.name, waiting.attempts, waiting.arguments, waiting.due
        """,
        tx.now,
        limit,
    )
    return [
        Ticket(row["job_id"], row["name"], row["attempts"], msgspec.Raw(row["arguments"]))
        for row in sorted(rows, key=lambda row: row["due"])
    ]


async def add_timers(tx: WritingTransaction, names: Sequence[str], due: Sequence[datetime]) -> None:
    """Give each declared timer its row; one that is known keeps its time, unless its rhythm has become faster."""
    await tx.execute(
        """
        insert into system.timers (name, due) select * from unnest($1::text[], $2::timestamptz[])
        on conflict (name) where job_id is null do update set due = least(timers.due, excluded.due)
        """,
        names,
        due,
    )


async def find_agenda(tx: ReadingTransaction, timers: Sequence[str]) -> Agenda:
    """What is due and what will be next, of all jobs and of the timers named."""
    row = await tx.row(
        """
        select
          (select array_agg(name) from system.timers where job_id is null and name = any($1::text[]) and due <= $2)
            as timers,
          (select min(due) from system.timers where job_id is not null) as next_job,
          (select min(due) from system.timers where job_id is null and name = any($1::text[]) and due > $2)
            as next_timer
        """,
        timers,
        tx.now,
    )
    return msgspec.convert(dict(row or ()) | {"timers": (row and row["timers"]) or ()}, Agenda)


async def lock_due_timer(tx: WritingTransaction, name: str) -> datetime | None:
    """When the timer was due, if it is and nobody else runs it; nobody else will before commit."""
    return await tx.value(
        """
        select due from system.timers where name = $1 and job_id is null and due <= $2
        for no key update skip locked
        """,
        name,
        tx.now,
    )


async def move_timer(tx: WritingTransaction, name: str, due: datetime) -> None:
    """Let a timer be due at another time."""
    await tx.execute("update system.timers set due = $2 where name = $1 and job_id is null", name, due)


async def remove_finished(tx: WritingTransaction, before: datetime) -> None:
    """Forget the ids of jobs that finished before a moment, and the log of all that have left the queue."""
    await tx.execute("delete from system.finished where finished_at < $1", before)
    await tx.execute(
        """
        delete from system.pgqueuer_log log
        where created < $1 and not exists (select from system.pgqueuer job where job.id = log.job_id)
        """,
        before,
    )
