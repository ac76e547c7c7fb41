"""The drawings "Cache-Aside Pattern" and "Multi-Level Caching Strategy"; docs/flows/cache-aside.md."""

import asyncio

import pytest
import pytest_asyncio

from headwater.apps.scoreboard import queries
from headwater.apps.scoreboard.models.caching import TOPS, TopOf
from headwater.apps.scoreboard.operations import Caching, Standings
from headwater.flow import Request
from headwater.kernel.cache import Cache
from headwater.kernel.cache.memory import Memory
from headwater.kernel.cache.shared import Shared
from tests.flows.players import APP, part_of
from tests.flows.trace import Trace, noting
from tests.kit.door import Answer, Door
from tests.kit.redis import RedisServer

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.needs("redis-server")]
PATH = f"{APP}/api/scoreboard"
TOP = TOPS.key(TopOf("default", 1).name)


@pytest.fixture
def trace(trace: Trace) -> Trace:
    """Watches who is drawn: memory, Redis, the statement."""
    trace.watch(Cache, "peek", noting("memory asked: {1.name}"))
    trace.watch(Memory, "put", noting("memory told: {1}"))
    trace.watch(Shared, "read", noting("redis asked: {1}"))
    trace.watch(Shared, "fill", noting("redis told: {1.name} for {3:.0f} s"))
    trace.watch(queries, "list_top")
    return trace


@pytest_asyncio.fixture(loop_scope="session")
async def cache(cached_door: Door) -> Cache:
    """The cache of the house; the board itself is known, and its places are not."""
    cache = part_of(cached_door, "/api/cache/stats", Caching).cache
    await look(cached_door)
    await cache.forget([TOP])
    return cache


async def look(door: Door) -> Answer:
    """The board as anybody sees it."""
    answered = await door.ask("GET", PATH)
    assert answered.status == 200, answered.body
    return answered


async def test_the_route_is_the_drawn_one(cached_door: Door) -> None:
    request = Request("GET", PATH, "", {}, "127.0.0.1", NotImplemented)
    assert cached_door.house.endpoint(request).declared.operation is Standings.show_scoreboard


@pytest.mark.usefixtures("cache")
async def test_a_miss_goes_down_the_levels_and_fills_them_on_the_way_back(
    cached_door: Door, trace: Trace, redis_server: RedisServer
) -> None:
    with trace.following():
        await look(cached_door)
    trace.must_pass(
        "memory asked: scoreboard_top",
        f"redis asked: {TOP}",
        "call: queries.list_top",
        "sql: select score.user_id*order by score.standing*",
        f"redis told: *{TOP} for 30 s",
        f"memory told: {TOP}",
        "stage: respond",
    )
    with redis_server.client() as client:
        [key] = client.keys(f"flows*{TOP}")
        assert 0 < client.pttl(key) <= 30_000


@pytest.mark.usefixtures("cache")
async def test_what_memory_has_is_answered_from_it(cached_door: Door, trace: Trace) -> None:
    first = await look(cached_door)
    with trace.following():
        again = await look(cached_door)
    assert again.body == first.body
    trace.must_pass("memory asked: scoreboard_top", "stage: respond")
    trace.must_not_pass("redis *", "memory told: *", "call: *", "take: *")


async def test_what_redis_has_is_remembered_in_memory_again(cached_door: Door, trace: Trace, cache: Cache) -> None:
    first = await look(cached_door)
    cache.distrust()
    with trace.following():
        again = await look(cached_door)
    assert again.body == first.body
    trace.must_pass("memory asked: scoreboard_top", f"redis asked: {TOP}", f"memory told: {TOP}", "stage: respond")
    trace.must_not_pass("redis told: *", "call: *", "take: *")


async def test_many_who_miss_at_once_ask_the_database_once(cached_door: Door, trace: Trace, cache: Cache) -> None:
    await cache.forget([TOP])
    with trace.following():
        await asyncio.gather(*(look(cached_door) for _ in range(20)))
    assert trace.steps.count("call: queries.list_top") == 1
