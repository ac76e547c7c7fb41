"""Calls: joined, in order, each with an answer of its own."""

import asyncio
from typing import Any

import pytest

from headwater.kernel.observe import Observer
from headwater.kernel.redis import Redis, RedisSettings, RedisUnavailable, ResponseError
from tests.kit.redis import RedisServer

pytestmark = pytest.mark.needs("redis-server")


def writes(server: RedisServer) -> int:
    """How often Redis has had something to read."""
    with server.client() as client:
        stats: Any = client.info("stats")
    return stats["total_reads_processed"]


async def test_a_call_is_answered_in_plain_types(redis: Redis) -> None:
    key = redis.key("k")
    assert await redis.call("GET", key) is None
    assert await redis.call("SET", key, b"\x00value", "PX", 60_000) is True
    assert await redis.call("GET", key) == b"\x00value"
    assert await redis.call("INCRBY", redis.key("n"), 7) == 7
    assert key.startswith("t") and key.endswith(":k")


async def test_the_calls_of_one_turn_leave_together(redis: Redis, redis_server: RedisServer) -> None:
    names = [redis.key(str(number)) for number in range(200)]
    await asyncio.gather(*(redis.call("SET", name, name) for name in names))
    before = writes(redis_server)
    answers = await asyncio.gather(*(redis.call("GET", name) for name in names))
    assert answers == [name.encode() for name in names]
    assert writes(redis_server) - before <= 10  # most of them are the looking's own


async def test_adjacent_fetches_are_one_command_and_stand_in_line(redis: Redis, redis_server: RedisServer) -> None:
    key, other = redis.key("k"), redis.key("absent")
    with redis_server.client() as client:
        client.config_resetstat()
        first = [redis.fetch(key) for _ in range(10)]
        redis.call("SET", key, "new")
        last = [redis.fetch(name) for name in (key, other, key)]
        assert await asyncio.gather(*first) == [None] * 10
        assert await asyncio.gather(*last) == [b"new", None, b"new"]
        counted = client.info("commandstats")
    assert counted["cmdstat_mget"]["calls"] == 2 and "cmdstat_get" not in counted


async def test_the_order_is_the_order_of_the_calls_over_many_turns(redis: Redis) -> None:
    key, sent = redis.key("list"), list(range(3000))
    for number in sent:
        redis.call("RPUSH", key, number)
        if number % 7 == 0:
            await asyncio.sleep(0)
    assert [int(item) for item in await redis.call("LRANGE", key, 0, -1)] == sent


async def test_one_callers_error_is_not_anothers(redis: Redis) -> None:
    key = redis.key("text")
    await redis.call("SET", key, "x")
    good, wrong, unknown, unsendable, better = await asyncio.gather(
        redis.call("GET", key),
        redis.call("INCR", key),
        redis.call("NOSUCHCOMMAND"),
        redis.call("SET", key, object()),  # pyright: ignore[reportArgumentType]
        redis.call("GET", key),
        return_exceptions=True,
    )
    assert (good, better) == (b"x", b"x")
    assert isinstance(wrong, ResponseError) and isinstance(unknown, ResponseError)
    assert type(unsendable).__name__ == "DataError"
    assert redis.available


async def test_a_caller_who_goes_away_takes_nothing_with_him(redis: Redis) -> None:
    key = redis.key("k")
    left = redis.call("SET", key, "kept")
    left.cancel()
    other = redis.call("GET", key)
    assert await other == b"kept"


async def test_a_script_runs_as_one_step_and_survives_a_flush_of_scripts(redis: Redis) -> None:
    add = redis.script("return redis.call('incrby', KEYS[1], ARGV[1])")
    key = redis.key("sum")
    assert await add.run([key], 5) == 5
    await redis.call("SCRIPT", "FLUSH")
    assert await asyncio.gather(*(add.run([key], 1) for _ in range(50))) == list(range(6, 56))


async def test_a_stop_sends_what_waits_and_refuses_what_comes(redis_server: RedisServer, redis_prefix: str) -> None:
    redis = redis_server.open(Observer(), prefix=redis_prefix)
    await redis.start()
    last = redis.call("SET", redis.key("k"), "last")
    await redis.stop()
    assert await last is True
    with pytest.raises(RedisUnavailable):
        await redis.call("GET", redis.key("k"))


async def test_settings_reach_the_server(own_redis: RedisServer) -> None:
    with own_redis.client() as client:
        client.config_set("requirepass", "sesame")
    silent = Redis(RedisSettings(), own_redis.url, Observer())
    await silent.start()
    assert not silent.available
    await silent.stop()
    knowing = Redis(RedisSettings(), f"unix://:sesame@{own_redis.socket}?db=3", Observer())
    await knowing.start()
    await knowing.call("SET", "where", "here")
    await knowing.stop()
    with own_redis.client() as client:
        client.execute_command("AUTH", "sesame")
        client.select(3)
        assert client.get("where") == b"here"
