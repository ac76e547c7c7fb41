"""Subscriptions: one connection, heard once, and a gap is told."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from headwater.kernel.observe import HookFailed, Observation, Observer, RedisLost, RedisReturned
from headwater.kernel.redis import Redis
from tests.kernel.waiting import until
from tests.kit.redis import RedisServer

pytestmark = pytest.mark.needs("redis-server")


@pytest.fixture
async def other(redis_server: RedisServer, redis_prefix: str) -> AsyncIterator[Redis]:
    opened = redis_server.open(Observer(), prefix=redis_prefix)
    await opened.start()
    yield opened
    await opened.stop()


async def test_messages_are_heard_once_and_in_order(redis: Redis, other: Redis) -> None:
    news, more = redis.key("news"), redis.key("more")
    here: list[bytes] = []
    here_too: list[bytes] = []
    there: list[bytes] = []
    await redis.subscribe(news, here.append)
    end = await redis.subscribe(news, here_too.append)
    await redis.subscribe(more, here.append)
    await other.subscribe(news, there.append)
    assert redis.listening
    sent = [b"%d" % number for number in range(500)]
    for message in sent:
        redis.call("PUBLISH", news, message)
    await other.publish(more, b"\xffmore")
    await until(lambda: len(there) == 500 and len(here) == 501)
    assert there == here_too == sent
    assert [message for message in here if message != b"\xffmore"] == sent
    end()
    await other.publish(news, b"last")
    await until(lambda: here[-1] == b"last")
    assert here_too == sent


async def test_a_hearer_that_fails_is_told_and_silences_nobody(redis: Redis, observations: list[Observation]) -> None:
    heard: list[bytes] = []
    channel = redis.key("news")
    await redis.subscribe(channel, lambda _message: 1 / 0)  # pyright: ignore[reportArgumentType]
    await redis.subscribe(channel, heard.append)
    await redis.publish(channel, b"a")
    await redis.publish(channel, b"b")
    await until(lambda: heard == [b"a", b"b"])
    assert sum(isinstance(seen, HookFailed) for seen in observations) == 2


async def test_a_lost_connection_is_opened_again_and_the_gap_told(
    own_redis: RedisServer, fragile: Redis, observations: list[Observation]
) -> None:
    heard: list[bytes] = []
    gaps: list[int] = []
    fragile.on_gap(lambda: gaps.append(1))
    await fragile.subscribe("a", heard.append)
    await fragile.subscribe("b", heard.append)
    before = fragile.last_heard
    with own_redis.client() as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    await until(lambda: gaps == [1])
    assert fragile.available and fragile.listening and fragile.last_heard > before
    await fragile.publish("a", b"1")
    await fragile.publish("b", b"2")
    await until(lambda: heard == [b"1", b"2"])
    kinds = [type(seen) for seen in observations if isinstance(seen, RedisLost | RedisReturned)]
    assert kinds == [RedisLost, RedisReturned]


async def test_a_hang_is_noticed_by_its_silence(own_redis: RedisServer, fragile: Redis) -> None:
    gaps: list[int] = []
    fragile.on_gap(lambda: gaps.append(1))
    await fragile.subscribe("a", lambda _message: None)
    own_redis.pause()
    await until(lambda: not fragile.listening, 8)
    own_redis.resume()
    await until(lambda: gaps == [1], 10)
    assert fragile.listening


async def test_a_subscription_made_during_an_absence_is_made_good(own_redis: RedisServer, fragile: Redis) -> None:
    await fragile.subscribe("a", lambda _message: None)
    own_redis.kill()
    await until(lambda: not fragile.listening)
    heard: list[bytes] = []
    async with asyncio.timeout(1):
        await fragile.subscribe("b", heard.append)
    own_redis.start()
    await until(lambda: fragile.listening and fragile.available, 8)
    await fragile.publish("b", b"x")
    await until(lambda: heard == [b"x"])
