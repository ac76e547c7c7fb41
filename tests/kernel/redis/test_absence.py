"""Redis away: refused at once, found again, and everybody told."""

import asyncio
from time import monotonic

import pytest

from headwater.kernel.observe import Observation, Observer, RedisLost, RedisReturned
from headwater.kernel.redis import Redis, RedisSettings, RedisUnavailable
from tests.kernel.waiting import until
from tests.kit.redis import RedisServer, eventually

pytestmark = pytest.mark.needs("redis-server")


def told(observations: list[Observation], part: str = "calls") -> list[str]:
    return [
        type(seen).__name__
        for seen in observations
        if isinstance(seen, RedisLost | RedisReturned) and seen.part == part
    ]


async def test_a_killed_redis_refuses_at_once_and_is_found_again(
    own_redis: RedisServer, fragile: Redis, observations: list[Observation]
) -> None:
    heard: list[str] = []
    fragile.on_loss(lambda: heard.append("lost"))
    fragile.on_return(lambda: heard.append("back"))
    under_way = [fragile.call("INCR", "n") for _ in range(20)]
    await asyncio.gather(*under_way)
    own_redis.kill()
    with pytest.raises(RedisUnavailable):
        await fragile.call("GET", "k")
    began = monotonic()
    for _ in range(1000):
        with pytest.raises(RedisUnavailable):
            await fragile.call("GET", "k")
    assert monotonic() - began < 0.5
    own_redis.start()
    await eventually(fragile, available=True)
    assert await fragile.call("GET", "n") is None
    assert told(observations) == ["RedisLost", "RedisReturned"]
    assert heard == ["lost", "back"]


async def test_a_redis_that_hangs_costs_one_patience_and_no_more(own_redis: RedisServer, observer: Observer) -> None:
    redis = own_redis.open(observer, RedisSettings(answer_timeout=0.3))
    await redis.start()
    own_redis.pause()
    began = monotonic()
    waiting = [redis.call("GET", "k") for _ in range(50)]
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(end, RedisUnavailable) for end in ended)
    assert 0.2 < monotonic() - began < 1.0
    with pytest.raises(RedisUnavailable):
        redis.call("GET", "k")
    own_redis.resume()
    await eventually(redis, available=True)
    await redis.stop()


async def test_a_house_may_start_before_its_redis(
    own_redis: RedisServer, observer: Observer, observations: list[Observation]
) -> None:
    own_redis.kill()
    redis = own_redis.open(observer)
    back = asyncio.Event()
    redis.on_return(back.set)
    await redis.start()
    assert not redis.available
    heard: list[bytes] = []
    await redis.subscribe("news", heard.append)
    own_redis.start()
    await asyncio.wait_for(back.wait(), 8)
    await until(lambda: redis.listening, 8)
    await redis.publish("news", b"at last")
    await until(lambda: heard == [b"at last"])
    assert told(observations) == ["RedisLost", "RedisReturned"]
    await redis.stop()


async def test_connections_cut_while_nobody_calls_are_replaced_unnoticed(
    own_redis: RedisServer, fragile: Redis, observations: list[Observation]
) -> None:
    await fragile.call("PING")
    with own_redis.client() as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "normal")
    await asyncio.sleep(0.05)
    assert await fragile.call("SET", "k", "v") is True
    assert told(observations) == []


async def test_another_incarnation_is_known_by_its_name_even_where_nobody_noticed(
    own_redis: RedisServer, fragile: Redis
) -> None:
    await fragile.call("PING")
    before = fragile.incarnation
    own_redis.kill()
    own_redis.start()
    await asyncio.sleep(0.05)
    assert await fragile.call("GET", "k") is None
    assert fragile.available
    assert before and fragile.incarnation and fragile.incarnation != before


async def test_a_replica_is_not_the_one_to_ask(
    own_redis: RedisServer, fragile: Redis, observations: list[Observation]
) -> None:
    with own_redis.client() as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
    with pytest.raises(RedisUnavailable):
        await fragile.call("SET", "k", "v")
    await asyncio.sleep(0.5)
    assert not fragile.available
    with own_redis.client() as client:
        client.execute_command("REPLICAOF", "NO", "ONE")
    await eventually(fragile, available=True)
    assert told(observations) == ["RedisLost", "RedisReturned"]


async def test_a_failing_callback_is_not_anothers_failure(own_redis: RedisServer, fragile: Redis) -> None:
    heard: list[str] = []

    async def later() -> None:
        heard.append("later")
        raise RuntimeError

    fragile.on_loss(lambda: 1 / 0)  # pyright: ignore[reportArgumentType]
    fragile.on_loss(later)
    fragile.on_loss(lambda: heard.append("last"))
    own_redis.kill()
    with pytest.raises(RedisUnavailable):
        await fragile.call("PING")
    await until(lambda: sorted(heard) == ["last", "later"])


@pytest.mark.torture
async def test_a_redis_that_comes_and_goes_answers_right_or_not_at_all(own_redis: RedisServer, fragile: Redis) -> None:
    """Every number that came back was the one its caller was to get."""
    stop = asyncio.Event()
    answered = 0

    async def ask(own: str) -> None:
        nonlocal answered
        while not stop.is_set():
            try:
                echoed = await fragile.call("ECHO", own)
            except RedisUnavailable:
                await asyncio.sleep(0.01)
            else:
                assert echoed == own.encode()
                answered += 1

    callers = [asyncio.create_task(ask(f"caller-{number}")) for number in range(20)]
    for _ in range(3):
        await asyncio.sleep(0.1)
        own_redis.kill()
        await asyncio.sleep(0.05)
        own_redis.start()
        await eventually(fragile, available=True)
        with own_redis.client() as client:
            client.execute_command("CLIENT", "KILL", "TYPE", "normal")
    await until(lambda: answered > 100, 30)
    stop.set()
    await asyncio.gather(*callers)
