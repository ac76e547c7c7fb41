"""Redis away, hanging, full, restarted or cut off from one node alone: every answer stays true."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from headwater.kernel.cache import MISSING, CacheSettings
from headwater.kernel.cache import shared as shared_module
from headwater.kernel.observe import Observer
from headwater.kernel.redis import Redis, RedisSettings
from tests.kernel.cache.conftest import Open
from tests.kernel.cache.kit import ADA, OLDER, PAGES, PROFILES, ROWS, Loader, counted
from tests.kernel.waiting import until
from tests.kit.redis import RedisServer, eventually

pytestmark = pytest.mark.needs("redis-server")
KEY = PROFILES.key("ada")


@pytest.fixture
def client(own_redis: RedisServer, observer: Observer) -> Callable[[], Redis]:
    """One more client of the Redis that is to be hurt; none waits long."""
    return lambda: own_redis.open(observer, RedisSettings(answer_timeout=0.3))


async def test_a_killed_redis_is_hardly_noticed(
    open_cache: Open, client: Callable[[], Redis], own_redis: RedisServer
) -> None:
    redis = client()
    cache = await open_cache(redis)
    load = Loader()
    await cache.through(PROFILES, "ada", load)
    own_redis.kill()
    assert await cache.through(PROFILES, "ada", load) == ADA
    async with asyncio.timeout(1):
        results = await asyncio.gather(*(cache.through(PROFILES, f"{n}", load) for n in range(100)))
    assert results == [ADA] * 100
    load.value = OLDER
    await cache.forget([KEY])
    assert await cache.through(PROFILES, "ada", load) == OLDER
    own_redis.start()
    await eventually(redis, available=True)
    await cache.put(PROFILES, "new", ADA)
    assert counted(cache)["loads"] == 102


async def test_what_was_forgotten_while_redis_could_not_be_reached_does_not_come_back_with_it(
    open_cache: Open, client: Callable[[], Redis], own_redis: RedisServer
) -> None:
    clients = [client(), client()]
    one, other = [await open_cache(each) for each in clients]
    await one.through(PROFILES, "ada", Loader())
    await one.put(PROFILES, "eve", ADA)
    own_redis.pause()
    for each in clients:
        with pytest.raises(Exception, match="not available"):
            await each.call("PING")
    await one.forget([KEY])
    await one.put(PROFILES, "eve", OLDER)
    assert await other.through(PROFILES, "ada", Loader(OLDER)) == OLDER
    other.distrust()
    own_redis.resume()
    for each in clients:
        await eventually(each, available=True)
    await asyncio.sleep(0.1)
    one.distrust()
    other.distrust()
    fresh = Loader(OLDER)
    assert await other.through(PROFILES, "ada", fresh) == OLDER
    assert await one.through(PROFILES, "eve", fresh) == OLDER
    assert fresh.calls == 2


async def test_a_node_that_alone_cannot_reach_redis_lets_the_others_forget_there(
    open_cache: Open, client: Callable[[], Redis], own_redis: RedisServer, observer: Observer
) -> None:
    away = own_redis.open(observer)
    one, other = await open_cache(away), await open_cache(client())
    await other.through(PROFILES, "ada", Loader())
    away._lost_at = 1.0  # a network that is broken on this side only, and stays so
    await one.forget([KEY])
    fresh = Loader(OLDER)
    assert await other.through(PROFILES, "ada", fresh) == OLDER
    assert fresh.calls == 1


async def test_a_snapshot_does_not_bring_back_what_was_forgotten_after_it(
    open_cache: Open, client: Callable[[], Redis], own_redis: RedisServer
) -> None:
    redis = client()
    cache = await open_cache(redis)
    await cache.through(PROFILES, "ada", Loader())
    with own_redis.client() as plain:
        plain.save()
    assert (Path(own_redis.folder) / "dump.rdb").exists()
    await cache.forget([KEY])
    own_redis.kill()
    own_redis.start()
    with own_redis.client() as plain:
        assert plain.dbsize() > 0  # the snapshot was loaded
    await asyncio.sleep(0.05)
    fresh = Loader(OLDER)
    assert await cache.through(PROFILES, "ada", fresh) == OLDER
    cache.distrust()
    assert await cache.through(PROFILES, "ada", Loader()) == OLDER
    assert fresh.calls == 1


async def test_a_redis_that_dies_during_a_load_costs_nothing(
    open_cache: Open, client: Callable[[], Redis], own_redis: RedisServer
) -> None:
    cache = await open_cache(client())
    load = Loader(waits=True)
    looking = asyncio.create_task(cache.through(PROFILES, "ada", load))
    await load.began.wait()
    own_redis.kill()
    load.may_end.set()
    assert await looking == ADA
    assert cache.peek(PROFILES, "ada") == ADA


async def test_a_full_redis_keeps_nothing_and_breaks_nothing(
    open_cache: Open, client: Callable[[], Redis], own_redis: RedisServer
) -> None:
    one, other = await open_cache(client()), await open_cache(client())
    await one.through(PROFILES, "ada", Loader())
    with own_redis.client() as plain:
        plain.config_set("maxmemory", 1)
    load = Loader(b"x")
    assert await one.through(PAGES, "/", load) == b"x"
    assert await one.through(PAGES, "/", load) == b"x"
    assert await other.through(PAGES, "/", load) == b"x"
    assert load.calls == 2
    await one.put(PROFILES, "ada", OLDER)  # there is no room for it, and the old one is gone
    assert await other.through(PROFILES, "ada", Loader(OLDER)) == OLDER


async def test_what_is_owed_is_bounded(
    open_cache: Open, client: Callable[[], Redis], own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_module, "_MOST_OWED", 10)
    redis = client()
    cache = await open_cache(redis)
    await cache.through(PROFILES, "ada", Loader())
    own_redis.pause()
    await cache.forget([KEY, *(PROFILES.key(str(number)) for number in range(20))])
    own_redis.resume()
    await eventually(redis, available=True)
    assert cache._shared is not None
    assert not cache._shared.usable  # until what lies there has expired
    assert await cache.through(PROFILES, "ada", Loader(OLDER)) == OLDER


async def test_the_calls_of_one_turn_are_joined(
    open_cache: Open, client: Callable[[], Redis], own_redis: RedisServer
) -> None:
    one, other = await open_cache(client()), await open_cache(client())
    names = [str(number) for number in range(300)]
    await asyncio.gather(*(one.through(PROFILES, name, Loader()) for name in names))
    with own_redis.client() as plain:
        before = plain.info("stats")["total_reads_processed"]
        await asyncio.gather(*(other.through(PROFILES, name, Loader()) for name in names))
        assert plain.info("stats")["total_reads_processed"] - before < 30
    assert counted(other) == {"shared_hits": 300}


@pytest.mark.torture
async def test_redis_comes_and_goes_while_rows_change(
    open_cache: Open, client: Callable[[], Redis], own_redis: RedisServer, scaled: Callable[[int], int]
) -> None:
    """Two nodes look and forget through kills and hangs of Redis; nobody sees a row older than was promised."""
    settings = CacheSettings(wait_seconds=0.2, lease_seconds=1)
    caches = [await open_cache(client(), settings) for _ in range(2)]
    row, promised, ended, looks = 0, 0, False, 0

    async def load() -> int:
        seen = row
        await asyncio.sleep(0.003)
        return seen

    async def look(turn: int) -> None:
        nonlocal looks
        while not ended:
            least = promised
            seen = await caches[turn % 2].through(ROWS, "row", load)
            assert seen is not None and seen >= least, (seen, least)
            looks += 1
            await asyncio.sleep(0.002)

    async def change() -> None:
        nonlocal row, promised
        while not ended:
            row += 1
            told = row
            await caches[row % 2].forget([ROWS.key("row")])
            promised = told
            await asyncio.sleep(0.01)

    working = [asyncio.create_task(work) for work in (*(look(turn) for turn in range(10)), change())]
    for round_ in range(scaled(60)):
        await asyncio.sleep(0.1)
        if round_ % 2:
            own_redis.pause()
            await asyncio.sleep(0.4)
            own_redis.resume()
        else:
            with own_redis.client() as plain:
                plain.save()
            own_redis.kill()
            await asyncio.sleep(0.1)
            own_redis.start()
        await asyncio.sleep(0.4)
    await until(lambda: looks > 100 and promised > 10, 30)
    ended = True
    await asyncio.gather(*working)


async def test_memory_of_nothing_is_left_behind_by_a_stop(open_cache: Open, client: Callable[[], Redis]) -> None:
    cache = await open_cache(client())
    load = Loader(waits=True)
    looking = asyncio.create_task(cache.through(PROFILES, "ada", load))
    await load.began.wait()
    await cache.stop()
    with pytest.raises(asyncio.CancelledError):
        await looking
    await until(lambda: not cache._flights)
    assert cache.peek(PROFILES, "ada") is MISSING
