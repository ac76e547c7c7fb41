"""Brings durable events to their consumers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from typing import cast

import msgspec

from headwater.kernel.bus import Bus, Rounds, Tasks
from headwater.kernel.clock import Clock
from headwater.kernel.database import Database, ReadingTransaction, Row, WritingTransaction
from headwater.kernel.database.errors import CommitUnknown
from headwater.kernel.errors import Busy, DatabaseUnavailable, TransactionConflict
from headwater.kernel.events import queries
from headwater.kernel.events.declarations import ToldEvent
from headwater.kernel.events.models import BoundConsumer, EventSettings
from headwater.kernel.models import Effects, Event
from headwater.kernel.observe import ConsumerFailed, EventConsumed, Observer

TOPIC = "events"
_HELD_BACK = 0.05
"""Seconds until an event is looked at again that waits for an older transaction to end."""
_NOT_THE_CONSUMERS_FAULT = (DatabaseUnavailable, Busy, TransactionConflict, CommitUnknown)

CarryOut = Callable[[Effects], Awaitable[None]]


class Dispatcher:
    """Runs the consumers of the durable events, on every node; each consumer on one of them at a time.

    A consumer meets its events in the order of the outbox, each in the transaction that moves its cursor past it, so
    their effects on rows happen exactly once. A new consumer begins with the oldest event the outbox still holds. A
    consumer that fails stays at its event and meets it again after a pause; the others go on. `carry_out` does
    what is due after a consumer's commit.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        observer: Observer,
        consumers: Iterable[BoundConsumer],
        bus: Bus,
        carry_out: CarryOut,
        settings: EventSettings | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._observer = observer
        self._bus = bus
        self._carry_out = carry_out
        self._settings = settings or EventSettings()
        self._consumers = {bound.declaration.name: bound for bound in consumers}
        self._names = list(self._consumers)
        self._events = [bound.declaration.of for bound in self._consumers.values()]
        self._tasks = Tasks("events", observer)
        self._watch = Rounds("events", observer, self._look)
        self._intakes = {
            name: Rounds(f"events: {name}", observer, self._intake(bound)) for name, bound in self._consumers.items()
        }

    async def start(self) -> None:
        """Begin with what the outbox holds already. Raises `DatabaseUnavailable`."""

        async def prepare(tx: WritingTransaction) -> None:
            await queries.adopt_restored_outbox(tx)
            await queries.add_cursors(tx, self._names)

        await self._database.writing(prepare)
        self._bus.subscribe(TOPIC, self._wake)
        self._bus.on_gap(self._watch.ring)
        self._watch.start()
        for intake in self._intakes.values():
            intake.start()

    async def stop(self) -> None:
        """Let the transactions that run come to their end, for 5 s at most, and begin no other."""
        await asyncio.gather(self._watch.stop(), *(intake.stop() for intake in self._intakes.values()))
        await self._tasks.stop()

    def tell(self, events: Sequence[Event]) -> None:
        """After commit: hurry if consumers have something new to read."""
        if any(event.durable for event in events):
            self.hurry()

    def hurry(self) -> None:
        """Let every node look now, and not only at its next poll."""
        self._tasks.start(self._bus.publish(TOPIC))

    async def remove_passed_events(self, tx: WritingTransaction) -> None:
        """Remove events that are old enough and that every declared consumer has passed; for a timer."""
        before = tx.now - timedelta(seconds=self._settings.keep)
        await queries.remove_passed_events(tx, self._names, self._events, before)

    def _wake(self, _message: bytes) -> None:
        self._watch.ring()

    async def _look(self) -> float:
        """Wake the consumers that have something to take in; seconds until the next look."""
        if not self._names:
            return self._settings.poll

        async def find(tx: ReadingTransaction) -> list[tuple[str, bool]]:
            return await queries.find_waiting_consumers(tx, self._names, self._events)

        waiting = await self._database.single(find)
        for name, ready in waiting:
            if ready:
                self._intakes[name].ring()
        if waiting:
            await asyncio.sleep(self._settings.gather)
        return self._settings.poll if all(ready for _, ready in waiting) else _HELD_BACK

    def _intake(self, bound: BoundConsumer) -> Callable[[], Awaitable[float | None]]:
        async def catch_up() -> float | None:
            return 0.0 if await self._take_in(bound, self._settings.batch) else None

        return catch_up

    async def _take_in(self, bound: BoundConsumer, limit: int) -> bool:
        """Let a consumer take in at most `limit` events in one transaction; whether there may be more.

        Where an event fails, those before it are taken in without it, and then it is met alone; where it is not known
        which of them fails, half of them at a time.
        """
        consumer = bound.declaration
        reached: list[int] = []

        async def work(tx: WritingTransaction) -> int:
            reached.clear()
            if not await queries.lock_cursor(tx, consumer.name):
                return 0
            rows = await queries.find_next_events(tx, consumer.name, consumer.of, limit)
            for group in [rows] if consumer.joined and rows else ([row] for row in rows):
                reached.extend(row["position"] for row in group)
                await _tell(bound, tx, group)
            if reached:
                await queries.move_cursor(tx, consumer.name, reached[-1])
            return len(rows)

        try:
            count, effects = await self._database.writing(work)
        except _NOT_THE_CONSUMERS_FAULT:
            raise
        except Exception as failure:
            if not reached:
                raise
            if len(reached) > 1:
                return await self._take_in(bound, len(reached) // 2 if consumer.joined else len(reached) - 1)
            await self._note_failure(consumer.name, reached[0], failure)
            return False
        await self._carry_out(effects)
        if count:
            self._observer.tell(EventConsumed(consumer=consumer.name, count=count))
        return count == limit

    async def _note_failure(self, consumer: str, position: int, failure: Exception) -> None:
        async def work(tx: WritingTransaction) -> None:
            failures = await queries.add_failure(tx, consumer, position, repr(failure))
            pause = min(self._settings.first_pause * 2 ** min(failures - 1, 30), self._settings.longest_pause)
            await queries.pause_consumer(tx, consumer, tx.now + timedelta(seconds=pause))

        try:
            await self._database.writing(work)
        finally:
            self._observer.tell(ConsumerFailed(consumer=consumer, position=position, failure=failure))


async def _tell(bound: BoundConsumer, tx: WritingTransaction, rows: Sequence[Row]) -> None:
    """Let the operation take in some events: all together, or the only one."""
    told = tuple(_told(bound, row) for row in rows)
    await bound.operation(tx, told if bound.declaration.joined else told[0])


def _told(bound: BoundConsumer, row: Row) -> ToldEvent:
    consumer = bound.declaration
    payload = msgspec.json.decode(row["payload"], type=cast(type[object], consumer.payload))
    return ToldEvent(position=row["position"], name=consumer.of, payload=payload, at=row["created_at"])
