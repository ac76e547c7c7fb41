"""Whoever looks after a forget has returned finds nothing that was loaded before, on any node, in any interleaving."""

import asyncio
import random
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from headwater.kernel.cache import MISSING, Cache, CacheSettings
from headwater.kernel.cache.shared import Shared
from headwater.kernel.cache.telling import TOPIC
from headwater.kernel.redis import Redis
from tests.kernel.cache.conftest import Open
from tests.kernel.cache.kit import ADA, OLDER, PROFILES, ROWS, Loader, Profile, counted, look_while

pytestmark = pytest.mark.needs("redis-server")
KEY = PROFILES.key("ada")


@pytest.mark.parametrize("with_redis", [False, True])
async def test_a_forget_reaches_every_memory_before_it_returns(
    open_cache: Open, opened: Callable[[], Redis], with_redis: bool
) -> None:
    caches = [await open_cache(opened() if with_redis else None) for _ in range(3)]
    load = Loader()
    for cache in caches:
        await cache.through(PROFILES, "ada", load)
    load.value = OLDER
    await caches[0].forget([KEY])
    assert [cache.peek(PROFILES, "ada") for cache in caches] == [MISSING] * 3
    for cache in caches:
        assert await cache.through(PROFILES, "ada", load) == OLDER


@pytest.mark.parametrize("with_redis", [False, True])
async def test_a_slow_loader_here_cannot_bring_back_what_was_forgotten_there(
    open_cache: Open, opened: Callable[[], Redis], with_redis: bool
) -> None:
    one, other = [await open_cache(opened() if with_redis else None) for _ in range(2)]
    await look_while(one, other.forget([KEY]))
    assert one.peek(PROFILES, "ada") is MISSING
    fresh = Loader(OLDER)
    assert await other.through(PROFILES, "ada", fresh) == OLDER
    assert await one.through(PROFILES, "ada", fresh) == OLDER
    assert fresh.calls == (1 if with_redis else 2)


async def test_who_asks_after_a_forget_does_not_join_who_asked_before(
    open_cache: Open, opened: Callable[[], Redis]
) -> None:
    cache = await open_cache(opened())
    slow, fresh = Loader(waits=True), Loader(OLDER)
    looking = asyncio.create_task(cache.through(PROFILES, "ada", slow))
    await slow.began.wait()
    await cache.forget([KEY])
    assert await cache.through(PROFILES, "ada", fresh) == OLDER
    slow.may_end.set()
    assert await looking == ADA
    assert cache.peek(PROFILES, "ada") == OLDER
    assert counted(cache) == {"loads": 2, "late": 1, "memory_hits": 1}


async def test_a_read_from_redis_that_a_forget_overtakes_is_not_kept(
    open_cache: Open, opened: Callable[[], Redis], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = await open_cache(opened()), await open_cache(opened())
    await one.through(PROFILES, "ada", Loader())
    read_it, may_go_on = asyncio.Event(), asyncio.Event()
    read = Shared.read

    async def held_back(self: Shared, key: str) -> Any:
        found = await read(self, key)
        if not read_it.is_set():
            read_it.set()
            await may_go_on.wait()
        return found

    monkeypatch.setattr(Shared, "read", held_back)
    looking = asyncio.create_task(other.through(PROFILES, "ada", Loader(OLDER)))
    await read_it.wait()
    await one.forget([KEY])
    may_go_on.set()
    assert await looking == ADA
    assert other.peek(PROFILES, "ada") is MISSING
    assert await other.through(PROFILES, "ada", Loader(OLDER)) == OLDER


async def test_a_fill_that_a_forget_overtakes_is_refused_by_redis(
    open_cache: Open, opened: Callable[[], Redis], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other node has removed the lease, and its message has not arrived here yet."""
    one, other = await open_cache(opened()), await open_cache(opened())
    filling, may_fill = asyncio.Event(), asyncio.Event()
    fill = Shared.fill

    async def held_back(self: Shared, *arguments: Any) -> bool:
        filling.set()
        await may_fill.wait()
        return await fill(self, *arguments)

    monkeypatch.setattr(Shared, "fill", held_back)
    looking = asyncio.create_task(one.through(PROFILES, "ada", Loader()))
    await filling.wait()
    removed, told = asyncio.Event(), asyncio.Event()
    tell = other._telling.tell

    async def tell_later(*arguments: Any) -> None:
        removed.set()
        await told.wait()
        await tell(*arguments)

    monkeypatch.setattr(other._telling, "tell", tell_later)
    forgetting = asyncio.create_task(other.forget([KEY]))
    await removed.wait()
    may_fill.set()
    await looking
    assert one.peek(PROFILES, "ada") is MISSING
    assert counted(one)["late"] == 1
    told.set()
    await forgetting
    monkeypatch.undo()
    assert await one.through(PROFILES, "ada", Loader(OLDER)) == OLDER


async def test_a_put_is_found_everywhere_and_a_loader_under_way_does_not_undo_it(
    open_cache: Open, opened: Callable[[], Redis]
) -> None:
    one, other = await open_cache(opened()), await open_cache(opened())
    slow = Loader(waits=True)
    looking = asyncio.create_task(one.through(PROFILES, "ada", slow))
    await slow.began.wait()
    await other.put(PROFILES, "ada", OLDER)
    slow.may_end.set()
    await looking
    never = Loader()
    assert await one.through(PROFILES, "ada", never) == OLDER
    assert await other.through(PROFILES, "ada", never) == OLDER
    await one.put(PROFILES, "ada", None)
    assert await other.through(PROFILES, "ada", never) is None
    assert never.calls == 0


async def test_two_puts_and_a_forget_at_once_leave_no_two_truths(open_cache: Open, opened: Callable[[], Redis]) -> None:
    one, other = await open_cache(opened()), await open_cache(opened())
    for age in range(20):
        await asyncio.gather(
            one.put(PROFILES, "ada", Profile("one", age)),
            other.put(PROFILES, "ada", Profile("other", age)),
        )
        never = Loader(None)
        assert await one.through(PROFILES, "ada", never) == await other.through(PROFILES, "ada", never)


async def test_a_node_that_cannot_be_told_stops_trusting_its_memory(
    open_cache: Open, opened: Callable[[], Redis]
) -> None:
    """Its handler never ends, as if the process were paused: the forget waits for the silence, and no longer."""
    one, other = await open_cache(opened()), await open_cache(opened())
    await other.through(PROFILES, "ada", Loader())
    hang = asyncio.Event()
    other._nodes.answer(TOPIC, lambda _message: hang.wait())
    began = monotonic()
    await one.forget([KEY])
    assert 1.5 < monotonic() - began < 3.5
    hang.set()


async def test_while_a_node_is_cut_off_its_memory_is_not_asked(
    open_cache: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = await open_cache()
    load = Loader()
    await cache.through(PROFILES, "ada", load)
    monkeypatch.setattr(type(cache._nodes), "cut_off", True)
    assert cache.peek(PROFILES, "ada") is MISSING
    await asyncio.gather(*(cache.through(PROFILES, "ada", load) for _ in range(3)))
    assert load.calls == 4
    monkeypatch.undo()
    cache.distrust()
    assert cache.peek(PROFILES, "ada") is MISSING


async def test_many_keys_are_forgotten_in_several_messages(open_cache: Open, opened: Callable[[], Redis]) -> None:
    one, other = await open_cache(opened()), await open_cache(opened())
    names = [f"{number}{'x' * 150}" for number in range(400)]
    await asyncio.gather(*(other.through(PROFILES, name, Loader()) for name in names))
    await one.forget([PROFILES.key(name) for name in names])
    assert all(other.peek(PROFILES, name) is MISSING for name in names)
    late = Loader(OLDER)
    await asyncio.gather(*(other.through(PROFILES, name, late) for name in names))
    assert late.calls == 400


@pytest.mark.torture
@pytest.mark.parametrize("with_redis", [False, True])
async def test_random_interleavings_never_show_what_was_forgotten(
    open_cache: Open,
    opened: Callable[[], Redis],
    seeded: random.Random,
    scaled: Callable[[int], int],
    with_redis: bool,
) -> None:
    """Rows change and are forgotten while others look: who began after a forget had ended sees at least its row."""
    caches: list[Cache] = [
        await open_cache(opened() if with_redis else None, CacheSettings(wait_seconds=0.05)) for _ in range(3)
    ]
    rows = dict.fromkeys("abcd", 0)
    promised = dict.fromkeys("abcd", 0)
    left = scaled(20_000)

    def goes_on() -> bool:
        """So many looks at least, and some changes: these wait for other processes, which a slow machine delays."""
        return left > 0 or sum(promised.values()) <= 10

    async def load(name: str) -> int:
        row = rows[name]
        await asyncio.sleep(seeded.choice((0, 0, 0.001, 0.02)))
        return row

    async def look() -> None:
        nonlocal left
        while goes_on():
            left -= 1
            name, cache = seeded.choice("abcd"), seeded.choice(caches)
            least = promised[name]
            seen = await cache.through(ROWS, name, lambda name=name: load(name))
            assert seen is not None and seen >= least, (name, seen, least)
            await asyncio.sleep(seeded.choice((0, 0.001, 0.005)))

    async def change() -> None:
        while goes_on():
            name = seeded.choice("abcd")
            rows[name] += 1
            row = rows[name]
            await seeded.choice(caches).forget([ROWS.key(name)])
            promised[name] = max(promised[name], row)
            await asyncio.sleep(seeded.choice((0, 0.001, 0.01)))

    async with asyncio.timeout(600):
        await asyncio.gather(*(look() for _ in range(30)), *(change() for _ in range(3)))
