"""What is loaded ahead takes the place of what still answers, and never brings back what was forgotten."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import pytest

from headwater.kernel.cache import MISSING
from headwater.kernel.clock import DrivenClock
from headwater.kernel.redis import Redis
from tests.kernel.cache.conftest import Open
from tests.kernel.cache.kit import ADA, OLDER, PROFILES, ROWS, Loader, Profile, counted

pytestmark = pytest.mark.needs("redis-server")


class Batch:
    """Loads many, and can be held back."""

    def __init__(self, values: Mapping[str, Profile], *, waits: bool = False) -> None:
        self.values = values
        self.asked: list[Sequence[str]] = []
        self.began, self.may_end = asyncio.Event(), asyncio.Event()
        if not waits:
            self.may_end.set()

    async def __call__(self, names: Sequence[str]) -> Mapping[str, Profile]:
        self.asked.append(names)
        self.began.set()
        await self.may_end.wait()
        return self.values


@pytest.mark.parametrize("with_redis", [False, True])
async def test_the_old_value_answers_until_the_new_one_is_there(
    open_cache: Open, opened: Callable[[], Redis], clock: DrivenClock, with_redis: bool
) -> None:
    cache = await open_cache(opened() if with_redis else None)
    await cache.through(PROFILES, "ada", Loader())
    clock.advance(50)
    batch = Batch({"ada": OLDER}, waits=True)
    refreshing = asyncio.create_task(cache.refresh(PROFILES, ["ada", "nobody"], batch))
    await batch.began.wait()
    assert await cache.through(PROFILES, "ada", Loader(None)) == ADA
    batch.may_end.set()
    assert await refreshing == 1
    clock.advance(50)
    assert cache.peek(PROFILES, "ada") == OLDER
    assert batch.asked == [["ada", "nobody"]]
    assert counted(cache) == {"loads": 1, "memory_hits": 2, "refreshed": 1}


async def test_other_nodes_find_it_in_redis(open_cache: Open, opened: Callable[[], Redis]) -> None:
    one, other = await open_cache(opened()), await open_cache(opened())
    await one.refresh(PROFILES, ["ada"], Batch({"ada": ADA}))
    never = Loader(OLDER)
    assert await other.through(PROFILES, "ada", never) == ADA
    assert never.calls == 0


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("with_redis", [False, True])
async def test_what_is_forgotten_meanwhile_is_not_brought_back(
    open_cache: Open, opened: Callable[[], Redis], with_redis: bool, known: bool
) -> None:
    one, other = [await open_cache(opened() if with_redis else None) for _ in range(2)]
    if known:
        await one.through(PROFILES, "ada", Loader())
    slow = Batch({"ada": ADA}, waits=True)
    refreshing = asyncio.create_task(one.refresh(PROFILES, ["ada"], slow))
    await slow.began.wait()
    await other.forget([PROFILES.key("ada")])
    slow.may_end.set()
    await refreshing
    assert one.peek(PROFILES, "ada") is MISSING
    fresh = Loader(OLDER)
    assert await other.through(PROFILES, "ada", fresh) == OLDER
    assert await one.through(PROFILES, "ada", fresh) == OLDER


async def test_a_refresh_that_fails_leaves_what_there_was(open_cache: Open, opened: Callable[[], Redis]) -> None:
    one, other = await open_cache(opened()), await open_cache(opened())
    await one.through(PROFILES, "ada", Loader())

    async def fail(_names: Sequence[str]) -> Mapping[str, Profile]:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await one.refresh(PROFILES, ["ada", "grace"], fail)
    assert one.peek(PROFILES, "ada") == ADA
    assert await other.through(PROFILES, "ada", Loader(OLDER)) == ADA
    assert await other.through(PROFILES, "grace", Loader(OLDER)) == OLDER, "no lease of who failed is waited for"


async def test_what_is_gone_is_no_longer_found(open_cache: Open, opened: Callable[[], Redis]) -> None:
    cache = await open_cache(opened())
    await cache.through(ROWS, "1", Loader(1))

    async def nothing(_names: Sequence[str]) -> Mapping[str, int]:
        return {}

    assert await cache.refresh(ROWS, ["1"], nothing) == 0
    assert await cache.through(ROWS, "1", Loader(2)) == 2


async def test_nobody_loads_ahead_what_is_being_looked_up(open_cache: Open, opened: Callable[[], Redis]) -> None:
    cache = await open_cache(opened())
    slow = Loader(waits=True)
    looking = asyncio.create_task(cache.through(PROFILES, "ada", slow))
    await slow.began.wait()
    batch = Batch({"ada": OLDER})
    assert await cache.refresh(PROFILES, ["ada"], batch) == 0
    assert batch.asked == []
    slow.may_end.set()
    assert await looking == ADA
