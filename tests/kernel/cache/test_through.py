"""Looking through the cache: memory, Redis, one loader."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from headwater.kernel.cache import MISSING, CacheFamily, CacheSettings
from headwater.kernel.clock import DrivenClock
from headwater.kernel.redis import Redis
from tests.kernel.cache.conftest import Open
from tests.kernel.cache.kit import ADA, PAGES, PROFILES, Loader, Profile, counted

pytestmark = pytest.mark.needs("redis-server")


@pytest.mark.parametrize("with_redis", [False, True])
async def test_a_value_is_loaded_once_and_then_remembered(
    open_cache: Open, opened: Callable[[], Redis], with_redis: bool
) -> None:
    cache = await open_cache(opened() if with_redis else None)
    load = Loader()
    assert cache.peek(PROFILES, "ada") is MISSING
    assert await cache.through(PROFILES, "ada", load) == ADA
    assert cache.peek(PROFILES, "ada") is ADA
    assert await cache.through(PROFILES, "ada", load) is ADA
    assert load.calls == 1
    assert counted(cache) == {"loads": 1, "memory_hits": 2}


async def test_another_process_finds_it_in_redis(open_cache: Open, opened: Callable[[], Redis]) -> None:
    one, other = await open_cache(opened()), await open_cache(opened())
    load = Loader()
    await one.through(PROFILES, "ada", load)
    assert await other.through(PROFILES, "ada", load) == ADA
    assert other.peek(PROFILES, "ada") == ADA
    assert (load.calls, counted(other)) == (1, {"shared_hits": 1, "memory_hits": 1})


async def test_bytes_pass_as_they_are(open_cache: Open, opened: Callable[[], Redis]) -> None:
    one, other = await open_cache(opened()), await open_cache(opened())
    page = bytes(range(256)) * 4
    await one.through(PAGES, "/", Loader(page))
    assert await other.through(PAGES, "/", Loader(b"never")) == page
    await one.through(PAGES, "/empty", Loader(b""))
    assert await other.through(PAGES, "/empty", Loader(b"never")) == b""


@pytest.mark.parametrize("with_redis", [False, True])
async def test_that_nothing_is_there_is_remembered_for_a_shorter_time(
    open_cache: Open, opened: Callable[[], Redis], clock: DrivenClock, with_redis: bool
) -> None:
    cache = await open_cache(opened() if with_redis else None)
    load = Loader(None)
    assert await cache.through(PROFILES, "nobody", load) is None
    assert await cache.through(PROFILES, "nobody", load) is None
    assert cache.peek(PROFILES, "nobody") is None
    assert load.calls == 1
    clock.advance(5.1)
    assert await cache.through(PROFILES, "nobody", load) is None
    assert load.calls == 2


async def test_without_a_negative_ttl_nothing_is_asked_for_again(open_cache: Open, opened: Callable[[], Redis]) -> None:
    cache = await open_cache(opened())
    load = Loader(None)
    for _ in range(3):
        assert await cache.through(PAGES, "/", load) is None
    assert load.calls == 3


async def test_a_value_holds_for_its_time_here_and_in_redis(
    open_cache: Open, opened: Callable[[], Redis], clock: DrivenClock
) -> None:
    one, other = await open_cache(opened()), await open_cache(opened())
    load = Loader()
    await one.through(PROFILES, "ada", load)
    clock.advance(40)
    await other.through(PROFILES, "ada", load)
    assert load.calls == 1
    clock.advance(21)  # what came from Redis does not begin anew
    load.value = Profile("Ada", 37)
    assert await other.through(PROFILES, "ada", load) == Profile("Ada", 37)
    assert await one.through(PROFILES, "ada", load) == Profile("Ada", 37)
    assert load.calls == 2


async def test_a_clock_that_is_set_back_prolongs_nothing(open_cache: Open, clock: DrivenClock) -> None:
    cache = await open_cache()
    load = Loader()
    await cache.through(PROFILES, "ada", load)
    clock.advance(-3600)
    await cache.through(PROFILES, "ada", load)
    assert load.calls == 2


async def test_a_stampede_is_one_load_over_all_processes(open_cache: Open, opened: Callable[[], Redis]) -> None:
    caches = [await open_cache(opened()) for _ in range(3)]
    load = Loader(waits=True)
    looking = [asyncio.create_task(cache.through(PROFILES, "ada", load)) for cache in caches * 300]
    await load.began.wait()
    await asyncio.sleep(0.1)
    load.may_end.set()
    assert set(await asyncio.gather(*looking)) == {ADA}
    assert load.calls == 1


async def test_who_waits_too_long_loads_for_itself(open_cache: Open, opened: Callable[[], Redis]) -> None:
    settings = CacheSettings(wait_seconds=0.1)
    one, other = await open_cache(opened(), settings), await open_cache(opened(), settings)
    slow, quick = Loader(waits=True), Loader(Profile("quick"))
    first = asyncio.create_task(one.through(PROFILES, "ada", slow))
    await slow.began.wait()
    assert await other.through(PROFILES, "ada", quick) == Profile("quick")
    slow.may_end.set()
    assert await first == ADA


async def test_a_failure_reaches_all_who_wait_and_is_not_remembered(
    open_cache: Open, opened: Callable[[], Redis]
) -> None:
    one, other = await open_cache(opened()), await open_cache(opened())
    load = Loader(RuntimeError("no"), waits=True)
    looking = [asyncio.create_task(one.through(PROFILES, "ada", load)) for _ in range(5)]
    await load.began.wait()
    load.may_end.set()
    ended = await asyncio.gather(*looking, return_exceptions=True)
    assert [str(end) for end in ended] == ["no"] * 5
    load.value = ADA
    async with asyncio.timeout(1):  # the lease was given back
        assert await other.through(PROFILES, "ada", load) == ADA
    assert load.calls == 2


async def test_who_goes_away_takes_nothing_from_the_others(open_cache: Open, opened: Callable[[], Redis]) -> None:
    cache = await open_cache(opened())
    load = Loader(waits=True)
    first = asyncio.create_task(cache.through(PROFILES, "ada", load))
    await load.began.wait()
    second = asyncio.create_task(cache.through(PROFILES, "ada", load))
    await asyncio.sleep(0)
    first.cancel()
    load.may_end.set()
    assert await second == ADA
    assert (load.calls, cache.peek(PROFILES, "ada")) == (1, ADA)


async def test_what_another_version_wrote_is_loaded_anew(open_cache: Open, opened: Callable[[], Redis]) -> None:
    one, other = await open_cache(opened()), await open_cache(opened())
    older = CacheFamily("profiles", int, ttl=60)
    await one.through(older, "ada", Loader(7))
    async with asyncio.timeout(1):
        assert await other.through(PROFILES, "ada", Loader()) == ADA
    assert await one.through(older, "ada", Loader(8)) == 7  # its own memory, until it expires


async def test_what_takes_longer_than_its_lease_is_given_and_not_kept(
    open_cache: Open, opened: Callable[[], Redis]
) -> None:
    cache = await open_cache(opened(), CacheSettings(lease_seconds=0.05))
    load = Loader(waits=True)
    looking = asyncio.create_task(cache.through(PROFILES, "ada", load))
    await asyncio.sleep(0.2)
    load.may_end.set()
    assert await looking == ADA
    assert cache.peek(PROFILES, "ada") is MISSING
    assert counted(cache) == {"loads": 1, "late": 1}


def test_a_kind_that_can_be_changed_is_refused() -> None:
    class Changeable(msgspec.Struct):
        name: str

    for kind in (list[int], dict, set[str], bytearray, Changeable):
        with pytest.raises(ValueError, match="can be changed"):
            CacheFamily("x", kind, ttl=1)
    with pytest.raises(ValueError, match="no name"):
        CacheFamily("a:b", bytes, ttl=1)


def test_keys_are_the_familys_and_bounded() -> None:
    assert PROFILES.key("a:b") == "profiles:a:b"
    long = PROFILES.key("x" * 10_000)
    assert len(long) < 60 and long != PROFILES.key("x" * 10_001)
