"""A clear removes exactly its families' keys, here, on every other node and in Redis, whatever is under way."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from headwater.kernel.cache import MISSING, CacheFamily
from headwater.kernel.cache.cache import Cache
from headwater.kernel.redis import Redis, RedisUnavailable
from tests.kernel.cache.conftest import Open
from tests.kernel.cache.kit import OLDER, PAGES, PROFILES, ROWS, Loader, look_while
from tests.kit.redis import RedisServer, eventually

pytestmark = pytest.mark.needs("redis-server")
PROFILES_TOO = CacheFamily("profiles_too", int, ttl=60)
"""Its name begins as another's does."""


async def fill(cache: Cache, count: int = 5) -> None:
    for number in range(count):
        await cache.through(PROFILES, str(number), Loader())
        await cache.through(ROWS, str(number), Loader(number))
        await cache.through(PROFILES_TOO, str(number), Loader(number))


@pytest.mark.parametrize("with_redis", [False, True])
async def test_only_what_is_meant_goes_and_on_every_node(
    open_cache: Open, opened: Callable[[], Redis], with_redis: bool
) -> None:
    one, other = [await open_cache(opened() if with_redis else None) for _ in range(2)]
    await fill(one)
    await fill(other)
    assert await one.clear([PROFILES]) == 5
    for cache in (one, other):
        assert [cache.peek(PROFILES, str(number)) for number in range(5)] == [MISSING] * 5
        assert [cache.peek(ROWS, str(number)) for number in range(5)] == list(range(5))
        assert [cache.peek(PROFILES_TOO, str(number)) for number in range(5)] == list(range(5))
    fresh = Loader(OLDER)
    assert await other.through(PROFILES, "1", fresh) == OLDER
    assert fresh.calls == 1


async def test_defect_5_a_clear_flushes_nobody_elses_keys(
    open_cache: Open, opened: Callable[[], Redis], redis_server: RedisServer, redis_prefix: str
) -> None:
    redis = opened()
    cache = await open_cache(redis)
    await fill(cache)
    with redis_server.client() as plain:
        plain.set("another:app", b"1")
        plain.set(f"{redis_prefix}:limit:somebody", b"1")
        assert await cache.clear([PROFILES, ROWS]) == 10
        assert plain.get("another:app") == plain.get(f"{redis_prefix}:limit:somebody") == b"1"
        left = plain.keys(f"{redis_prefix}:cache:*")
    assert len(left) == 5 and all(b":profiles_too:" in key for key in left)


async def test_more_keys_than_one_step_looks_at(open_cache: Open, opened: Callable[[], Redis]) -> None:
    redis = opened()
    cache = await open_cache(redis)
    setting = [
        redis.call("SET", redis.key("cache", redis.incarnation, f"rows:{n}"), b"v" + bytes(8)) for n in range(3500)
    ]
    await asyncio.gather(*setting)
    assert await cache.clear([ROWS]) == 3500
    assert (await cache.describe()).redis.keys == {}


@pytest.mark.parametrize("with_redis", [False, True])
async def test_a_loader_under_way_cannot_bring_back_what_was_cleared(
    open_cache: Open, opened: Callable[[], Redis], with_redis: bool
) -> None:
    one, other = [await open_cache(opened() if with_redis else None) for _ in range(2)]
    await look_while(one, other.clear([PROFILES]))
    fresh = Loader(OLDER)
    assert await one.through(PROFILES, "ada", fresh) == OLDER
    assert await other.through(PROFILES, "ada", fresh) == OLDER


async def test_a_clear_that_redis_misses_is_made_good_before_anything_is_read_there(
    open_cache: Open, own_redis: RedisServer, observer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis = own_redis.open(observer)
    cache = await open_cache(redis)
    await fill(cache)
    call = Redis.call

    def refuse(_redis: Redis, *_arguments: object) -> Any:
        raise RedisUnavailable

    monkeypatch.setattr(Redis, "call", refuse)
    assert await cache.clear([PROFILES]) == 5
    monkeypatch.setattr(Redis, "call", call)
    fresh = Loader(OLDER)
    assert await cache.through(PROFILES, "0", fresh) == OLDER, "nothing is read in Redis while it owes a removal"
    own_redis.pause()
    with pytest.raises(RedisUnavailable):
        await redis.confirm()
    own_redis.resume()
    await eventually(redis, available=True)
    async with asyncio.timeout(30):
        while (await cache.describe()).redis.keys != {"rows": 5, "profiles_too": 5}:  # noqa: ASYNC110 - it rings no bell
            await asyncio.sleep(0.02)


async def test_what_lies_where_is_counted_truly(open_cache: Open, opened: Callable[[], Redis]) -> None:
    cache, other = await open_cache(opened()), await open_cache(opened())
    await fill(cache, 3)
    await cache.through(PAGES, "p", Loader(b"x" * 1000))
    for _ in range(3):
        await cache.through(PAGES, "p", Loader(b""))
    await other.through(PAGES, "p", Loader(b""))
    figures = await cache.describe()
    pages = next(each for each in figures.families if each.family == "pages")
    assert (pages.lookups, pages.memory_hits, pages.redis_hits, pages.loads) == (4, 3, 0, 1)
    assert (pages.hit_rate, pages.redis_hit_rate) == (0.75, 0.0)
    assert (pages.entries, figures.entries) == (1, 10)
    assert 1000 < pages.bytes < 2000 and figures.bytes == sum(each.bytes for each in figures.families)
    assert pages.p50 is not None and pages.p99 is not None and 0 < pages.p50 <= pages.p99 < 1
    assert figures.redis.status == "connected" and (figures.redis.bytes or 0) > 100_000
    assert figures.redis.keys == {"profiles": 3, "rows": 3, "profiles_too": 3, "pages": 1}
    [there] = (await other.describe()).families
    assert (there.memory_hits, there.redis_hits, there.redis_hit_rate, there.hit_rate) == (0, 1, 1.0, 1.0)
    assert (await (await open_cache()).describe()).redis.status == "off"
