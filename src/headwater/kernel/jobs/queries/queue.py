"""The life of a job's row: called, due, picked, released, failed, gone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from headwater.kernel.database import WritingTransaction
from headwater.kernel.jobs.models import Picked, Ticket

PLACE = "due - timestamptz '2000-01-01 00:00:00+00' - priority * interval '1 hour'"
"""A job's place in the queue, the lower the sooner: a point of priority is worth an hour of waiting."""
PICK_JOBS = f"""
with free as (
  select id, place, number
  from unnest($1::text[], $2::int[]) as lane (name, at_once)
  cross join lateral (
    select id, {PLACE} as place, number from system.jobs
    where name = lane.name and state = 'queued'
    order by {PLACE}, number
    limit least($4, lane.at_once - (
      select count(*) from system.jobs running where running.name = lane.name and running.state = 'running'
    ))
    for no key update skip locked
  ) as first
), chosen as (
  select id, place, number from free order by place, number limit $4
), picked as (
  update system.jobs job set state = 'running', worker = $3, attempts = attempts + 1
  from chosen where job.id = chosen.id
  returning job.id, job.name, job.attempts, job.arguments, chosen.place, chosen.number
)
select id, name, attempts, arguments from picked order by place, number
"""


async def add_jobs(tx: WritingTransaction, tickets: Sequence[Ticket]) -> None:
    """Queue tickets, or let them wait until they are due; those whose unique key a job has already join it.

    A joined job that waits gets the higher priority and the earlier time, except between its attempts, and is locked
    until commit, so that it begins after it. No two tickets may have one key. Keys are taken in their order, so that
    two transactions with the same keys do not wait for each other.
    """
    await tx.execute(
        """
        insert into system.jobs as job (id, name, arguments, priority, unique_key, state, due, enqueued_at)
        select id, name, arguments::json, priority, unique_key,
          case when due > $7 then 'waiting' else 'queued' end, coalesce(due, $7), $7
        from unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::text[], $6::timestamptz[]) with ordinality
          as called (id, name, arguments, priority, unique_key, due, position)
        order by unique_key nulls first, name, position
        on conflict (name, unique_key) where unique_key is not null and state <> 'failed' do update set
          priority = greatest(job.priority, excluded.priority),
          state = case when job.attempts = 0 and excluded.state = 'queued' then 'queued' else job.state end,
          due = case when job.attempts = 0 then least(job.due, excluded.due) else job.due end
        where job.state <> 'running'
        """,
        [ticket.id for ticket in tickets],
        [ticket.job for ticket in tickets],
        [bytes(ticket.arguments).decode() for ticket in tickets],
        [ticket.priority for ticket in tickets],
        [ticket.unique_key for ticket in tickets],
        [ticket.due for ticket in tickets],
        tx.now,
    )


async def queue_due_jobs(tx: WritingTransaction, limit: int) -> int:
    """Queue jobs that are due, the longest overdue first, and that no other node is queueing; how many."""
    return await tx.execute(
        """
        with due as (
          select id from system.jobs where state = 'waiting' and due <= $1
          order by due limit $2 for no key update skip locked
        )
        update system.jobs job set state = 'queued' from due where job.id = due.id
        """,
        tx.now,
        limit,
    )


async def lock_lanes(tx: WritingTransaction, names: Sequence[str]) -> None:
    """Pick nothing of these names while others do, until commit: who counts what runs must be alone."""
    await tx.execute(
        """
        select pg_advisory_xact_lock(hashtextextended('headwater.jobs.' || name, 0))
        from (select name from unnest($1::text[]) as lane (name) order by name) as lanes
        """,
        names,
    )


async def pick_jobs(tx: WritingTransaction, lanes: Mapping[str, int | None], worker: UUID, limit: int) -> list[Picked]:
    """Pick at most `limit` jobs for a worker, by their places in the queue; each counts one more attempt.

    `lanes` are the names that are wanted, and how many of each may run at once on all nodes (None: any number).
    """
    rows = await tx.rows(PICK_JOBS, list(lanes), list(lanes.values()), worker, limit)
    return [Picked(row["id"], row["name"], row["attempts"], msgspec.Raw(row["arguments"])) for row in rows]


async def lock_running(tx: WritingTransaction, job_id: UUID, worker: UUID) -> bool:
    """Whether the job is still the worker's; if so nobody else touches it before commit."""
    return bool(
        await tx.value(
            """
            select true from system.jobs where id = $1 and worker = $2 and state = 'running'
            for no key update
            """,
            job_id,
            worker,
        )
    )


async def release_jobs(tx: WritingTransaction, worker: UUID, but: Sequence[UUID] = (), *, uncounted: bool) -> int:
    """Queue what a worker holds, except some, again; how many. `uncounted`: as if they had never been picked."""
    return await tx.execute(
        """
        update system.jobs set state = 'queued', worker = null, attempts = attempts - $3
        where worker = $1 and id <> all($2::uuid[])
        """,
        worker,
        but,
        int(uncounted),
    )


async def remove_job(tx: WritingTransaction, job_id: UUID) -> None:
    """Let a job that is finished leave."""
    await tx.execute("delete from system.jobs where id = $1", job_id)


async def postpone_job(tx: WritingTransaction, job_id: UUID, due: datetime, error: str) -> None:
    """Let a job that failed wait for its next attempt."""
    await tx.execute(
        """
        update system.jobs set state = 'waiting', worker = null, due = $2, failed_at = $3, error = $4 where id = $1
        """,
        job_id,
        due,
        tx.now,
        error,
    )


async def fail_job(tx: WritingTransaction, job_id: UUID, error: str, traceback: str) -> None:
    """Keep a job that failed for good; its unique key is free again."""
    await tx.execute(
        """
        update system.jobs set state = 'failed', worker = null, failed_at = $2, error = $3, traceback = $4
        where id = $1
        """,
        job_id,
        tx.now,
        error,
        traceback,
    )
