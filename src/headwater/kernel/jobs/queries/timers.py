"""Declared timers: when each is due, and how its runs went."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from headwater.kernel.database import ReadingTransaction, WritingTransaction


class Agenda(msgspec.Struct, frozen=True):
    """What waits for its time: timers that are due, and when the next job or timer will be."""

    timers: tuple[str, ...]
    next_job: datetime | None
    next_timer: datetime | None


class DueTimer(msgspec.Struct, frozen=True):
    """A timer that is due: the moment of its rhythm it is for, and when it really is due, later if it failed."""

    beat: datetime
    due: datetime


async def add_timers(
    tx: WritingTransaction, names: Sequence[str], rhythms: Sequence[str], due: Sequence[datetime]
) -> None:
    """Give each declared timer its row.

    One that is known keeps its time; in another rhythm than before it gets the new time, unless a run is due already.
    """
    await tx.execute(
        """
        insert into system.timers as timer (name, rhythm, due, beat)
        select name, rhythm, due, due
        from unnest($1::text[], $2::text[], $3::timestamptz[]) as declared (name, rhythm, due)
        order by name
        on conflict (name) do update set
          rhythm = excluded.rhythm,
          due = case when timer.due > $4 then excluded.due else timer.due end,
          beat = case when timer.due > $4 then excluded.beat else timer.beat end
        where timer.rhythm <> excluded.rhythm
        """,
        names,
        rhythms,
        due,
        tx.now,
    )


async def remove_timers(tx: WritingTransaction, names: Sequence[str]) -> None:
    """Forget timers that are to run no more."""
    await tx.execute("delete from system.timers where name = any($1::text[])", names)


async def find_agenda(tx: ReadingTransaction, timers: Sequence[str]) -> Agenda:
    """What is due and what will be next, of all jobs and of the timers named."""
    row = await tx.row(
        """
        select
          (select array_agg(name) from system.timers where name = any($1::text[]) and due <= $2) as timers,
          (select min(due) from system.jobs where state = 'waiting') as next_job,
          (select min(due) from system.timers where name = any($1::text[]) and due > $2) as next_timer
        """,
        timers,
        tx.now,
    )
    return msgspec.convert(dict(row or ()) | {"timers": (row and row["timers"]) or ()}, Agenda)


async def lock_due_timer(tx: WritingTransaction, name: str) -> DueTimer | None:
    """The timer, if it is due and nobody else runs it; nobody else will before commit."""
    row = await tx.row(
        "select beat, due from system.timers where name = $1 and due <= $2 for no key update skip locked", name, tx.now
    )
    return None if row is None else DueTimer(row["beat"], row["due"])


async def finish_timer(tx: WritingTransaction, name: str, due: datetime, seconds: float) -> None:
    """Note a good run, and when the next one is due."""
    await tx.execute(
        """
        update system.timers
        set due = $2, beat = $2, last_run = $3, last_seconds = $4, failures = 0, error = null where name = $1
        """,
        name,
        due,
        tx.now,
        seconds,
    )


async def postpone_timer(tx: WritingTransaction, name: str, due: datetime, error: str) -> None:
    """Note a failure, and when the same moment of the rhythm is tried again."""
    await tx.execute(
        "update system.timers set due = $2, failures = failures + 1, error = $3 where name = $1", name, due, error
    )
