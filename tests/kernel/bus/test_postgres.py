"""Two processes' buses over one Postgres."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from headwater.kernel.bus import MessageTooLarge, PostgresBus
from headwater.kernel.database import Connect, Connection, Database, Login
from headwater.kernel.errors import DatabaseUnavailable
from headwater.kernel.observe import DatabaseLost, DatabaseReturned, HookFailed, Observation, Observer
from tests.kernel.bus.raw import told_until_heard
from tests.kernel.waiting import until

CUT = "select pg_terminate_backend(pid) from pg_stat_activity where query ilike any ($1) and pid <> pg_backend_pid()"


@pytest.fixture
async def buses(
    connector: Connect, database: Database, observer: Observer
) -> AsyncIterator[tuple[PostgresBus, PostgresBus]]:
    one, other = (PostgresBus(connector, database, observer) for _ in range(2))
    await one.start()
    await other.start()
    yield one, other
    await one.stop()
    await other.stop()


async def test_every_handler_of_every_bus_hears_each_message_once(buses: tuple[PostgresBus, PostgresBus]) -> None:
    one, other = buses
    here: list[bytes] = []
    here_too: list[bytes] = []
    there: list[bytes] = []

    async def hear_later(message: bytes) -> None:
        await asyncio.sleep(0)
        here_too.append(message)

    one.subscribe("news", here.append)
    one.subscribe("news", hear_later)
    other.subscribe("news", there.append)
    other.subscribe("weather", there.append)
    for number in range(20):
        await one.publish("news", bytes([number, 255]))
    await other.publish("end")
    expected = [bytes([number, 255]) for number in range(20)]
    await until(lambda: len(there) == 20)
    await asyncio.sleep(0.05)
    assert here == there == here_too == expected


async def test_the_publisher_hears_itself_at_once(buses: tuple[PostgresBus, PostgresBus]) -> None:
    heard: list[bytes] = []
    buses[0].subscribe("news", heard.append)
    publishing = asyncio.create_task(buses[0].publish("news", b"now"))
    await asyncio.sleep(0)
    assert heard == [b"now"]
    await publishing


async def test_messages_of_one_turn_leave_in_one_statement(
    buses: tuple[PostgresBus, PostgresBus], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = buses
    sent: list[list[str]] = []
    statement = one._database.statement

    async def counted(principal: None, sql: str, channel: str, payloads: list[str]) -> object:
        sent.append(payloads)
        return await statement(principal, sql, channel, payloads)

    monkeypatch.setattr(one._database, "statement", counted)
    there: list[bytes] = []
    other.subscribe("news", there.append)
    await asyncio.gather(*(one.publish("news", b"%03d" % number * 100) for number in range(100)))
    await until(lambda: len(there) == 100)
    assert there == [b"%03d" % number * 100 for number in range(100)]
    assert len(sent) == 1
    assert len(sent[0]) > 1
    assert all(len(payload) < 8000 for payload in sent[0])


async def test_an_ended_subscription_is_silent(buses: tuple[PostgresBus, PostgresBus]) -> None:
    heard: list[bytes] = []
    end = buses[0].subscribe("news", heard.append)
    await buses[0].publish("news", b"1")
    end()
    await buses[0].publish("news", b"2")
    assert heard == [b"1"]


async def test_a_large_message_is_refused(buses: tuple[PostgresBus, PostgresBus]) -> None:
    with pytest.raises(MessageTooLarge):
        await buses[0].publish("news", b"x" * 7500)


async def test_a_failing_handler_is_told_and_hinders_nobody(
    buses: tuple[PostgresBus, PostgresBus], observations: list[Observation]
) -> None:
    heard: list[bytes] = []

    def fail(_message: bytes) -> None:
        raise ZeroDivisionError

    async def fail_later(_message: bytes) -> None:
        raise KeyError

    buses[0].subscribe("news", fail)
    buses[0].subscribe("news", fail_later)
    buses[0].subscribe("news", heard.append)
    await buses[0].publish("news", b"1")
    failures = [type(seen.failure) for seen in observations if isinstance(seen, HookFailed)]
    assert heard == [b"1"]
    assert failures == [ZeroDivisionError, KeyError]


async def test_a_lost_connection_comes_back_and_tells_of_the_gap(
    buses: tuple[PostgresBus, PostgresBus], connector: Connect, observations: list[Observation]
) -> None:
    one, other = buses
    gaps: list[str] = []
    heard: list[bytes] = []
    payloads: list[str] = []
    one.on_gap(lambda: gaps.append("one"))
    one.subscribe("news", heard.append)
    one.listen_raw("headwater_ddl", payloads.append)
    await cut_listeners(connector)
    await until(lambda: gaps == ["one"] and other.connected)
    assert one.connected
    assert [type(seen) for seen in observations if isinstance(seen, DatabaseLost | DatabaseReturned)].count(
        DatabaseReturned
    ) == 2
    await other.publish("news", b"after")
    await until(lambda: heard == [b"after"])
    owner = await connector(Login.OWNER)
    await owner.execute("notify headwater_ddl, 'tables'")
    await owner.close()
    await until(lambda: payloads == ["tables"])


async def test_a_silent_connection_is_noticed(
    connector: Connect, database: Database, observer: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headwater.kernel.bus.postgres._PROBE_EVERY", 0.05)
    monkeypatch.setattr("headwater.kernel.bus.postgres._PROBE_TIMEOUT", 0.2)
    bus = PostgresBus(connector, database, observer)
    gaps: list[str] = []
    bus.on_gap(lambda: gaps.append("gap"))
    await bus.start()
    connection = bus._connection
    assert connection is not None
    connection._transport.pause_reading()
    await until(lambda: gaps == ["gap"])
    assert bus.connected
    await bus.stop()
    assert not bus.connected


async def test_other_channels_pass_as_text(buses: tuple[PostgresBus, PostgresBus], connector: Connect) -> None:
    payloads: list[str] = []
    buses[0].listen_raw("pgrst", payloads.append)
    await told_until_heard(connector, payloads)


async def test_publishing_without_a_database_is_refused_and_heard_here(
    connector: Connect, database: Database, observer: Observer
) -> None:
    bus = PostgresBus(connector, database, observer)
    heard: list[bytes] = []
    bus.subscribe("news", heard.append)
    await database.lease.close()
    with pytest.raises(DatabaseUnavailable):
        await bus.publish("news", b"1")
    assert heard == [b"1"]
    await bus.stop()


async def test_starting_without_postgres_is_refused(database: Database, observer: Observer) -> None:
    async def refused(_login: str) -> Connection:
        raise ConnectionRefusedError

    with pytest.raises(ConnectionRefusedError):
        await PostgresBus(refused, database, observer).start()


async def cut_listeners(connector: Connect) -> None:
    owner = await connector(Login.OWNER)
    cut = await owner.fetch(CUT, ["listen%", "select 1"])
    await owner.close()
    assert cut
