"""Two processes' buses over one Redis and one Postgres, and what they do when Redis goes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.kernel.bus import MessageTooLarge, PostgresBus, RedisBus
from headwater.kernel.bus.frames import Frame
from headwater.kernel.bus.sequences import Sequences
from headwater.kernel.database import Connect, Database
from headwater.kernel.observe import HookFailed, Observation, Observer
from headwater.kernel.redis import Redis, RedisSettings
from tests.kernel.bus.raw import told_until_heard
from tests.kernel.waiting import until
from tests.kit.redis import RedisServer, eventually

pytestmark = pytest.mark.needs("redis-server")


class Process:
    """The buses of one process."""

    def __init__(self, redis: Redis, postgres: PostgresBus, observer: Observer) -> None:
        self.redis = redis
        self.postgres = postgres
        self.bus = RedisBus(redis, postgres, observer)
        self.heard: list[bytes] = []
        self.gaps: list[int] = []
        self.bus.subscribe("news", self.heard.append)
        self.bus.on_gap(lambda: self.gaps.append(len(self.heard)))

    async def start(self) -> None:
        await self.redis.start()
        await self.postgres.start()
        await self.bus.start()

    async def stop(self) -> None:
        await self.bus.stop()
        await self.postgres.stop()
        await self.redis.stop()


Begin = Callable[[Redis], Awaitable[Process]]


@pytest.fixture
async def begin(connector: Connect, database: Database, observer: Observer) -> AsyncIterator[Begin]:
    """Starts processes, which end with the test."""
    async with AsyncExitStack() as stack:

        async def begin(redis: Redis) -> Process:
            process = Process(redis, PostgresBus(connector, database, observer), observer)
            await process.start()
            stack.push_async_callback(process.stop)
            return process

        yield begin


@pytest.fixture
async def buses(begin: Begin, own_redis: RedisServer, observer: Observer) -> tuple[Process, Process]:
    """Two of them on a Redis of this test's own."""
    one, other = [await begin(own_redis.open(observer)) for _ in range(2)]
    await until(lambda: one.redis.listening and other.redis.listening)
    return one, other


def calls(server: RedisServer, command: str) -> int:
    """How often Redis was sent a command."""
    with server.client() as client:
        return client.info("commandstats").get(f"cmdstat_{command}", {}).get("calls", 0)


async def test_each_message_is_heard_once_by_everybody(
    buses: tuple[Process, Process], own_redis: RedisServer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = buses

    async def refuse(*_arguments: object) -> None:
        raise AssertionError("Postgres was asked")

    monkeypatch.setattr(one.postgres, "notify", refuse)
    for number in range(20):
        await one.bus.publish("news", bytes([number, 255]))
        await one.bus.publish("weather")
    await asyncio.gather(*(one.bus.publish("news", b"%d" % number) for number in range(100)))
    expected = [*(bytes([number, 255]) for number in range(20)), *(b"%d" % number for number in range(100))]
    await until(lambda: len(other.heard) == 120)
    await asyncio.sleep(0.05)
    assert one.heard == other.heard == expected
    assert calls(own_redis, "publish") == 41
    assert one.gaps == other.gaps == []


async def test_raw_channels_are_postgres(buses: tuple[Process, Process], connector: Connect) -> None:
    payloads: list[str] = []
    buses[0].bus.listen_raw("pgrst", payloads.append)
    await told_until_heard(connector, payloads)


async def test_what_postgres_could_not_carry_is_refused_while_redis_is_there(buses: tuple[Process, Process]) -> None:
    with pytest.raises(MessageTooLarge):
        await buses[0].bus.publish("news", b"x" * 7500)


async def test_nonsense_on_the_channel_is_told_and_hinders_nobody(
    buses: tuple[Process, Process], own_redis: RedisServer, observations: list[Observation]
) -> None:
    one, other = buses
    with own_redis.client() as client:
        client.publish("headwater:bus", b"\xff nonsense")
    await one.bus.publish("news", b"1")
    await until(lambda: other.heard == [b"1"])
    assert [seen.part for seen in observations if isinstance(seen, HookFailed)] == ["bus", "bus"]


async def test_messages_go_on_in_order_through_the_loss_and_return_of_redis(
    buses: tuple[Process, Process], own_redis: RedisServer
) -> None:
    one, other = buses
    sent: list[bytes] = []
    stop = asyncio.Event()

    async def publish_all() -> None:
        while not stop.is_set():
            sent.append(b"%d" % len(sent))
            await one.bus.publish("news", sent[-1])
            await asyncio.sleep(0.002)

    publishing = asyncio.create_task(publish_all())
    for _ in range(3):
        await asyncio.sleep(0.3)
        own_redis.kill()
        await eventually(one.redis, available=False)
        before = len(sent)
        await until(lambda before=before: len(other.heard) > before + 50)
        own_redis.start()
        await until(lambda: all(process.redis.listening and process.redis.available for process in buses), 15)
    before = calls(own_redis, "publish")
    await until(lambda: calls(own_redis, "publish") > before + 50)
    stop.set()
    await publishing
    await until(lambda: other.heard[-1] == sent[-1])
    assert one.heard == sent
    must_be_in_order(other, sent)


def must_be_in_order(process: Process, sent: list[bytes]) -> None:
    """Nothing came twice or out of turn, and what never came was told as a gap afterwards."""
    numbers = [int(message) for message in process.heard]
    assert numbers == sorted(set(numbers))
    missing = set(range(len(sent))) - set(numbers)
    for number in missing:
        assert any(numbers[at - 1] > number or at == len(numbers) for at in process.gaps if at), "a loss nobody told"
    assert len(missing) < len(sent) / 10


async def test_who_alone_cannot_reach_redis_hears_and_is_heard(
    begin: Begin, own_redis: RedisServer, observer: Observer
) -> None:
    one = await begin(own_redis.open(observer))
    lonely = await begin(Redis(RedisSettings(), "redis://127.0.0.1:1", observer))
    await until(lambda: one.bus._someone_is_deaf() and lonely.gaps)
    for number in range(50):
        await one.bus.publish("news", b"one %d" % number)
        await lonely.bus.publish("news", b"lonely %d" % number)
    for process in (one, lonely):
        await until(lambda process=process: len(process.heard) == 100)
        for name in (b"one", b"lonely"):
            assert [each for each in process.heard if each.startswith(name)] == [
                b"%s %d" % (name, n) for n in range(50)
            ]


async def test_who_loses_his_subscription_reads_again(buses: tuple[Process, Process], own_redis: RedisServer) -> None:
    one, other = buses
    with own_redis.client() as client:
        client.client_kill_filter(_type="pubsub")
    await until(lambda: bool(one.gaps) and bool(other.gaps))
    await until(lambda: one.redis.listening and other.redis.listening)
    await one.bus.publish("news", b"after")
    await until(lambda: other.heard == [b"after"])


class Line:
    """A receiver of frames, and what it delivered and missed."""

    def __init__(self) -> None:
        self.delivered: list[int] = []
        self.missed = 0
        self.sequences = Sequences(lambda frame: self.delivered.append(frame.serial), self._miss)

    def _miss(self) -> None:
        self.missed += 1


@given(st.permutations(list(range(8))), st.lists(st.integers(0, 8), max_size=8))
def test_frames_are_passed_on_in_order_and_once(order: list[int], again: list[int]) -> None:
    async def run() -> None:
        line = Line()
        for serial in (0, *(serial + 1 for serial in order), *again):
            line.sequences.take(Frame("a", serial, ()))
        assert line.delivered == list(range(9))
        line.sequences.stop()

    asyncio.run(run())


async def test_a_frame_that_never_comes_is_told_and_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headwater.kernel.bus.sequences._PATIENCE", 0.02)
    line = Line()
    for serial in (7, 9, 10, 12):
        line.sequences.take(Frame("a", serial, ()))
    assert line.delivered == [7]
    await until(lambda: line.delivered == [7, 9, 10, 12])
    assert line.missed == 2
    line.sequences.take(Frame("a", 8, ()))
    line.sequences.take(Frame("a", 13, ()))
    assert line.delivered == [7, 9, 10, 12, 13]


async def test_memory_for_senders_and_for_what_they_sent_too_early_is_bounded() -> None:
    line = Line()
    for number in range(2000):
        line.sequences.take(Frame(str(number), 0, ()))
    assert len(line.sequences._senders) == 1000
    line.sequences.take(Frame("a", 0, ()))
    for serial in range(2, 5000):
        line.sequences.take(Frame("a", serial, ()))
    assert line.missed == 1
    assert line.delivered[-1] == 4999
    line.sequences.stop()
