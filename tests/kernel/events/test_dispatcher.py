"""Durable events reach their consumers in order, and their effects on rows happen exactly once."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

import msgspec
import pytest

from headwater.kernel.bus import PostgresBus
from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Connect, Connection, Database, Login, ReadingTransaction, WritingTransaction
from headwater.kernel.errors import DatabaseUnavailable
from headwater.kernel.events import BoundConsumer, Consumer, Dispatcher, EventRecorder, EventSettings, ToldEvent
from headwater.kernel.models import Effects, Event
from headwater.kernel.observe import ConsumerFailed, EventConsumed, Observation, Observer
from tests.kernel.waiting import until

CUT_ALL = (
    "select pg_terminate_backend(pid) from pg_stat_activity where usename = current_user and pid <> pg_backend_pid()"
)
CURSOR_STATE = "select (failures, failed_at, error, retry_at)::text from system.cursors where consumer = 'desk'"
CREATE_TOLD = "create table public.told (id bigint generated always as identity, number int)"
ADD_EVENT = "insert into system.outbox (name, payload, created_at) values ('PointScored', $1, $2)"
PROMPT = EventSettings(poll=0.05, first_pause=10)
PATIENT = EventSettings(poll=60)


class PointScored(Event, frozen=True, kw_only=True):
    durable: ClassVar[bool] = True
    number: int
    note: str = ""


class CursorMoved(Event, frozen=True, kw_only=True):
    number: int


class Point(msgspec.Struct):
    number: int


class Desk:
    """A consumer that writes down what it is told, in its own rows."""

    def __init__(self) -> None:
        self.fails_at: set[int] = set()

    async def write_down(self, tx: WritingTransaction, event: ToldEvent) -> None:
        assert isinstance(event.payload, Point)
        await tx.execute("insert into public.told (number) values ($1)", event.payload.number)
        if event.payload.number in self.fails_at:
            raise ZeroDivisionError(event.payload.number)


@pytest.fixture
def desk() -> Desk:
    return Desk()


class House:
    """As many nodes as a test wants, over one database."""

    def __init__(self, connector: Connect, database: Database, clock: DrivenClock, observer: Observer) -> None:
        self.connector = connector
        self.database = database
        self.clock = clock
        self.observer = observer
        self.carried_out: list[Effects] = []
        self._closing: list[Callable[[], Awaitable[None]]] = []

    async def node(
        self,
        operation: Callable[..., Awaitable[object]],
        settings: EventSettings = PROMPT,
        name: str = "desk",
        *,
        joined: bool = False,
    ) -> Dispatcher:
        bus = PostgresBus(self.connector, self.database, self.observer)
        await bus.start()

        async def carry_out(effects: Effects) -> None:
            self.carried_out.append(effects)

        declared = Consumer(name=name, of="PointScored", payload=Point, operation=operation, joined=joined)
        consumer = BoundConsumer(declared, operation)
        dispatcher = Dispatcher(self.database, self.clock, self.observer, [consumer], bus, carry_out, settings)
        await dispatcher.start()
        self._closing += [bus.stop, dispatcher.stop]
        return dispatcher

    async def close(self) -> None:
        while self._closing:
            await self._closing.pop()()

    async def emit(self, *numbers: int) -> Effects:
        async def work(tx: WritingTransaction) -> None:
            for number in numbers:
                tx.emit(PointScored(number=number))

        return (await self.database.writing(work))[1]

    async def emitted(self, number: int) -> bool:
        """Emit, unless the database is not available."""
        try:
            await self.emit(number)
        except DatabaseUnavailable:
            return False
        return True

    async def told(self) -> list[int]:
        async def work(tx: ReadingTransaction) -> list[int]:
            return [row["number"] for row in await tx.rows("select number from public.told order by id")]

        return await self.database.single(work)

    async def until_told(self, numbers: list[int]) -> None:
        async with asyncio.timeout(30):
            while await self.told() != numbers:  # noqa: ASYNC110 - rows ring no bell
                await asyncio.sleep(0.01)

    async def value(self, sql: str, *arguments: object) -> Any:
        return await self.database.single(lambda tx: tx.value(sql, *arguments))

    @asynccontextmanager
    async def open_transaction(self) -> AsyncGenerator["OtherTransaction"]:
        """A transaction of another process that has begun to write; rolled back if it is left open."""
        connection = await self.connector(Login.OWNER)
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("select pg_current_xact_id()")
        yield OtherTransaction(connection, transaction.commit, self.clock.now())
        await connection.close()


class OtherTransaction(NamedTuple):
    """Emits as another process would."""

    connection: Connection
    commit: Callable[[], Awaitable[None]]
    now: datetime

    async def emit(self, number: int) -> None:
        payload = msgspec.json.encode({"number": number}).decode()
        await self.connection.execute(ADD_EVENT, payload, self.now)


@pytest.fixture
async def house(connector: Connect, database: Database, clock: DrivenClock, observer: Observer) -> AsyncIterator[House]:
    database.add_recorder(EventRecorder())
    await database.writing(
        lambda tx: tx.execute("create table public.told (id bigint generated always as identity, number int)")
    )
    opened = House(connector, database, clock, observer)
    yield opened
    await opened.close()


async def test_only_durable_events_are_rows_and_only_of_committed_transactions(house: House) -> None:
    async def work(tx: WritingTransaction) -> None:
        tx.emit(PointScored(number=1, note="nul \x00 and ü"))
        tx.emit(CursorMoved(number=2))

    async def failing(tx: WritingTransaction) -> None:
        await work(tx)
        raise ZeroDivisionError

    await house.database.writing(work)
    with pytest.raises(ZeroDivisionError):
        await house.database.writing(failing)
    rows = await house.database.single(lambda tx: tx.rows("select name, payload, created_at from system.outbox"))
    assert [(row["name"], msgspec.json.decode(row["payload"])) for row in rows] == [
        ("PointScored", {"number": 1, "note": "nul \x00 and ü"})
    ]
    assert rows[0]["created_at"] == house.clock.now()


async def test_a_joined_consumer_takes_in_many_at_once_and_the_one_that_fails_alone(
    house: House, desk: Desk, observations: list[Observation]
) -> None:
    calls: list[list[int]] = []

    async def write_all_down(tx: WritingTransaction, events: Sequence[ToldEvent]) -> None:
        calls.append([event.payload.number for event in events if isinstance(event.payload, Point)])
        for event in events:
            await desk.write_down(tx, event)

    desk.fails_at = {12}
    await house.emit(*range(20))
    await house.node(write_all_down, joined=True)
    await house.until_told(list(range(12)))
    async with asyncio.timeout(30):
        while not any(isinstance(seen, ConsumerFailed) for seen in observations):  # noqa: ASYNC110 - rings no bell
            await asyncio.sleep(0.01)
    assert calls[0] == list(range(20))
    assert calls[-1] == [12]
    desk.fails_at = set()
    house.clock.advance(11)
    await house.until_told(list(range(20)))
    assert calls[-1] == list(range(12, 20))
    assert sum(seen.count for seen in observations if isinstance(seen, EventConsumed)) == 20


async def test_a_new_consumer_begins_with_the_oldest_event(
    house: House, desk: Desk, observations: list[Observation]
) -> None:
    await house.emit(1, 2, 3)
    await house.node(desk.write_down)
    await house.until_told([1, 2, 3])
    assert [seen for seen in observations if isinstance(seen, EventConsumed)] == [EventConsumed("desk", 3)]


async def test_a_hurried_event_does_not_wait_for_the_poll_on_any_node(house: House, desk: Desk) -> None:
    here = await house.node(desk.write_down, PATIENT)
    effects = await house.emit(1)
    here.tell(effects.events)
    await house.until_told([1])
    elsewhere = await house.node(desk.write_down, PATIENT, name="other desk")
    await house.until_told([1, 1])
    effects = await house.emit(2)
    here.tell(effects.events)
    await house.until_told([1, 1, 2, 2])
    await elsewhere.stop()


async def test_nothing_is_skipped_when_the_first_to_emit_commits_last(house: House, desk: Desk) -> None:
    await house.node(desk.write_down)
    async with house.open_transaction() as other:
        await other.emit(1)
        await house.emit(2)
        await house.emit(3)
        await asyncio.sleep(0.2)
        assert await house.told() == []
        await other.commit()
        await house.until_told([1, 2, 3])
    await house.emit(4)
    await house.until_told([1, 2, 3, 4])


async def test_a_batch_ends_before_what_an_open_transaction_may_still_precede(house: House, desk: Desk) -> None:
    await house.emit(0)
    async with house.open_transaction() as other:
        await other.emit(1)
        await house.emit(2)
        await house.node(desk.write_down)
        await house.until_told([0])
        await asyncio.sleep(0.2)
        assert await house.told() == [0]
        await other.commit()
        await house.until_told([0, 1, 2])


async def test_transactions_count_more_than_positions(house: House, desk: Desk) -> None:
    await house.node(desk.write_down)
    async with house.open_transaction() as other:
        await house.emit(2)
        await other.emit(1)
        await other.commit()
    await house.until_told([1, 2])
    await house.emit(3)
    await house.until_told([1, 2, 3])


async def test_an_event_that_was_rolled_back_holds_nobody_back(house: House, desk: Desk) -> None:
    await house.node(desk.write_down)
    async with house.open_transaction() as other:
        await other.emit(1)
        await house.emit(2)
    await house.until_told([2])


async def test_many_events_on_two_nodes_are_told_once_in_order(house: House, desk: Desk) -> None:
    small = EventSettings(poll=0.02, batch=7)
    await house.node(desk.write_down, small)
    await house.node(desk.write_down, small)
    for first in range(0, 100, 5):
        await house.emit(*range(first, first + 5))
    await house.until_told(list(range(100)))


async def test_a_failing_consumer_stops_at_its_event_while_others_go_on(
    house: House, desk: Desk, observations: list[Observation]
) -> None:
    other = Desk()

    async def write_down_negative(tx: WritingTransaction, event: ToldEvent) -> None:
        assert isinstance(event.payload, Point)
        await other.write_down(tx, msgspec.structs.replace(event, payload=Point(-event.payload.number)))

    desk.fails_at = {3}
    await house.emit(1, 2, 3, 4)
    await house.node(desk.write_down)
    await until(lambda: any(isinstance(seen, ConsumerFailed) for seen in observations))
    assert await house.told() == [1, 2]
    await house.node(write_down_negative, name="other desk")
    await house.until_told([1, 2, -1, -2, -3, -4])
    failures = [seen for seen in observations if isinstance(seen, ConsumerFailed)]
    assert [(seen.consumer, seen.position, type(seen.failure)) for seen in failures] == [("desk", 3, ZeroDivisionError)]
    desk.fails_at = set()
    await asyncio.sleep(0.2)
    assert await house.told() == [1, 2, -1, -2, -3, -4]  # its pause is not over
    house.clock.advance(10)
    await house.until_told([1, 2, -1, -2, -3, -4, 3, 4])
    assert await house.value(CURSOR_STATE) == "(0,,,)"


async def test_pauses_grow_with_each_failure(house: House, desk: Desk, observations: list[Observation]) -> None:
    desk.fails_at = {1}
    await house.emit(1)
    await house.node(desk.write_down)
    for failures, pause in enumerate((10, 20, 40), 1):
        await until(
            lambda expected=failures: sum(isinstance(seen, ConsumerFailed) for seen in observations) == expected
        )
        await asyncio.sleep(0.1)
        retry_at = await house.value("select retry_at from system.cursors")
        assert (retry_at - house.clock.now()).total_seconds() == pause
        house.clock.advance(pause)


async def test_a_payload_that_the_consumer_cannot_read_is_its_failure(
    house: House, desk: Desk, observations: list[Observation]
) -> None:
    await house.node(desk.write_down)
    await house.database.writing(
        lambda tx: tx.execute(
            "insert into system.outbox (name, payload, created_at) values ('PointScored', '{}', $1)", tx.now
        )
    )
    await until(lambda: any(isinstance(seen, ConsumerFailed) for seen in observations))
    assert "number" in await house.value("select error from system.cursors")


async def test_what_a_consumer_emits_is_a_row_and_is_carried_out(house: House) -> None:
    async def emit_more(tx: WritingTransaction, event: ToldEvent) -> None:
        assert isinstance(event.payload, Point)
        if event.payload.number < 3:
            tx.emit(PointScored(number=event.payload.number + 1))
        await tx.execute("insert into public.told (number) values ($1)", event.payload.number)

    await house.node(emit_more)
    await house.emit(1)
    await house.until_told([1, 2, 3])
    await until(
        lambda: (
            [e for effects in house.carried_out for e in effects.events]
            == [PointScored(number=2), PointScored(number=3)]
        )
    )


async def test_passed_and_old_events_are_removed_and_waiting_ones_stay(house: House, desk: Desk) -> None:
    desk.fails_at = {2}
    dispatcher = await house.node(desk.write_down, EventSettings(poll=0.05, first_pause=10**9))
    await house.emit(1, 2)
    await house.until_told([1])
    house.clock.advance(7 * 24 * 3600 + 1)

    async def unheard(tx: WritingTransaction) -> None:
        await tx.execute(
            "insert into system.outbox (name, payload, created_at) values ('Unheard', '{}', $1), ('Unheard', '{}', $2)",
            house.clock.now(),
            await tx.value("select min(created_at) from system.outbox"),
        )

    await house.database.writing(unheard)
    await house.database.writing(dispatcher.remove_passed_events)
    assert await house.value("select array_agg(position order by position) from system.outbox") == [2, 3]


async def test_a_restored_outbox_is_told_from_where_it_was(house: House, desk: Desk) -> None:
    first = await house.node(desk.write_down)
    await house.emit(1, 2)
    await house.until_told([1, 2])
    await first.stop()
    await house.emit(3)
    await house.emit(4)
    await house.database.writing(
        lambda tx: tx.execute(
            """
            with events as (
              update system.outbox set transaction_id = (90000000000 - position)::text::xid8 where position > 2
              returning 1
            )
            update system.cursors set transaction_id = '80000000000'
            """
        )
    )
    await house.node(desk.write_down)
    await house.until_told([1, 2, 4, 3])
    await house.emit(5)
    await house.until_told([1, 2, 4, 3, 5])


async def test_a_lost_database_only_delays(house: House, desk: Desk) -> None:
    await house.node(desk.write_down)
    await house.emit(1)
    await house.until_told([1])
    connection = await house.connector(Login.OWNER)
    await connection.execute(CUT_ALL)
    await connection.close()
    while not await house.emitted(2):
        pass
    await house.until_told([1, 2])
