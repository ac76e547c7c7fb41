"""Every statement of the outbox."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from headwater.kernel.database import ReadingTransaction, Row, WritingTransaction
from headwater.kernel.models import Event


async def add_events(tx: WritingTransaction, events: Sequence[Event]) -> None:
    """Append events, in their order, to the transaction that they tell of."""
    await tx.execute(
        """
        insert into system.outbox (name, payload, created_at)
        select name, payload::json, $3 from unnest($1::text[], $2::text[]) as events (name, payload)
        """,
        [type(event).__name__ for event in events],
        [msgspec.json.encode(event).decode() for event in events],
        tx.now,
    )


async def add_cursors(tx: WritingTransaction, consumers: Sequence[str]) -> None:
    """Let new consumers begin with the oldest event that the outbox still holds."""
    await tx.execute(
        "insert into system.cursors (consumer) select unnest($1::text[]) on conflict (consumer) do nothing", consumers
    )


async def find_waiting_consumers(
    tx: ReadingTransaction, consumers: Sequence[str], names: Sequence[str]
) -> list[tuple[str, bool]]:
    """Consumers with events after their cursor, and whether the first of them may be told already.

    `names[i]` is the event that `consumers[i]` listens to. Consumers that pause after a failure are left out.
    """
    rows = await tx.rows(
        """
        select declared.consumer, first.transaction_id < pg_snapshot_xmin(pg_current_snapshot()) as ready
        from unnest($1::text[], $2::text[]) as declared (consumer, name)
        join system.cursors cursor on cursor.consumer = declared.consumer
        cross join lateral (
          select event.transaction_id from system.outbox event
          where event.name = declared.name
            and (event.transaction_id, event.position) > (cursor.transaction_id, cursor.position)
          order by event.transaction_id, event.position limit 1
        ) first
        where cursor.retry_at is null or cursor.retry_at <= $3
        """,
        consumers,
        names,
        tx.now,
    )
    return [(row["consumer"], row["ready"]) for row in rows]


async def lock_cursor(tx: WritingTransaction, consumer: str) -> bool:
    """Whether this transaction is now the only one that moves the consumer, and it does not pause."""
    return bool(
        await tx.value(
            """
            select true from system.cursors
            where consumer = $1 and (retry_at is null or retry_at <= $2)
            for no key update skip locked
            """,
            consumer,
            tx.now,
        )
    )


async def find_next_events(tx: WritingTransaction, consumer: str, name: str, limit: int) -> list[Row]:
    """The events after the consumer's cursor that nothing can come before any more, in order."""
    return await tx.rows(
        """
        select event.position, event.payload, event.created_at
        from system.cursors cursor
        join system.outbox event
          on event.name = $2 and (event.transaction_id, event.position) > (cursor.transaction_id, cursor.position)
        where cursor.consumer = $1 and event.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
        order by event.transaction_id, event.position
        limit $3
        """,
        consumer,
        name,
        limit,
    )


async def move_cursor(tx: WritingTransaction, consumer: str, position: int) -> None:
    """The consumer has taken in everything up to the event at `position`."""
    await tx.execute(
        """
        update system.cursors cursor
        set transaction_id = event.transaction_id, position = event.position,
          failures = 0, failed_at = null, error = null, retry_at = null
        from system.outbox event
        where cursor.consumer = $1 and event.position = $2
        """,
        consumer,
        position,
    )


async def add_failure(tx: WritingTransaction, consumer: str, position: int, error: str) -> int:
    """Note that the consumer failed at the event at `position`; how often in a row."""
    return int(
        await tx.value(
            """
            update system.cursors
            set failures = case when failed_at = $2 then failures + 1 else 1 end, failed_at = $2, error = $3
            where consumer = $1
            returning failures
            """,
            consumer,
            position,
            error,
        )
    )


async def pause_consumer(tx: WritingTransaction, consumer: str, until: datetime) -> None:
    """Let the consumer meet its event again at `until`."""
    await tx.execute("update system.cursors set retry_at = $2 where consumer = $1", consumer, until)


async def remove_passed_events(
    tx: WritingTransaction, consumers: Sequence[str], names: Sequence[str], before: datetime
) -> int:
    """Remove events older than `before` that no declared consumer still has to take in; how many."""
    return await tx.execute(
        """
        delete from system.outbox event
        where event.created_at < $3 and not exists (
          select from unnest($1::text[], $2::text[]) as declared (consumer, name)
          join system.cursors cursor on cursor.consumer = declared.consumer
          where declared.name = event.name
            and (event.transaction_id, event.position) > (cursor.transaction_id, cursor.position)
        )
        """,
        consumers,
        names,
        before,
    )


async def adopt_restored_outbox(tx: WritingTransaction) -> bool:
    """Renumber what a dump brought from another cluster, whose transactions counted on from elsewhere; whether it did.

    A number that this cluster has not reached yet gives such an outbox away. Everything in it is committed, so it
    keeps its order under new positions, before the first transaction.
    """
    await tx.execute("select pg_advisory_xact_lock(7130, 2)")
    return bool(
        await tx.value(
            """
            with foreign_numbers as (
              select from system.outbox where transaction_id >= pg_snapshot_xmax(pg_current_snapshot())
              union all
              select from system.cursors where transaction_id >= pg_snapshot_xmax(pg_current_snapshot())
            ),
            ordered as materialized (
              select transaction_id, position, row_number() over (order by transaction_id, position) as rank
              from system.outbox where exists (select from foreign_numbers)
            ),
            renumbered as materialized (
              select *, rank + (select max(position) from system.outbox) as fresh from ordered
            ),
            moved as (
              update system.outbox event set transaction_id = '0', position = renumbered.fresh
              from renumbered where event.position = renumbered.position
            ),
            rewound as (
              update system.cursors cursor set transaction_id = '0', position = coalesce(
                (select max(fresh) from renumbered
                 where (renumbered.transaction_id, renumbered.position) <= (cursor.transaction_id, cursor.position)), 0)
              where exists (select from foreign_numbers)
            )
            select case when exists (select from foreign_numbers) then setval(
              pg_get_serial_sequence('system.outbox', 'position'),
              (select coalesce(max(fresh), 0) + 1 from renumbered)
                + nextval(pg_get_serial_sequence('system.outbox', 'position'))
            ) end is not null
            """
        )
    )
