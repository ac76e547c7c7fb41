"""The drawing "Cache Warming Strategy"; docs/flows/cache-warming.md."""

import pytest

from headwater.apps.scoreboard import queries
from headwater.apps.scoreboard.models.caching import TOPS, TopOf
from headwater.apps.scoreboard.operations import Caching
from headwater.kernel.cache import MISSING, Warmer
from headwater.kernel.cache.memory import Memory
from headwater.kernel.cache.shared import Shared
from tests.flows.players import APP, as_admin, part_of
from tests.flows.trace import Trace, noting
from tests.kit.door import Door

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.needs("redis-server")]
DRAWN = ["top scores", "active sessions", "configuration", "limits"]


@pytest.fixture
def trace(trace: Trace) -> Trace:
    """Watches who is drawn: each part that is loaded, and the two levels that are warmed."""
    trace.watch(Warmer, "_warm", noting("warm: {1.name}"))
    trace.watch(queries, "list_top")
    trace.watch(Shared, "fill", noting("redis told"))
    trace.watch(Memory, "put", noting("memory told: {1}"))
    return trace


async def test_the_system_was_warm_before_it_was_ready(cached_door: Door) -> None:
    last = (await as_admin(cached_door, "GET", "/api/cache/stats"))["lastWarming"]
    assert [part["name"] for part in last["parts"]] == DRAWN
    assert [part["reason"] for part in last["parts"]] == [None] * len(DRAWN)


async def test_a_warming_loads_what_is_drawn_in_its_order(cached_door: Door, trace: Trace) -> None:
    await cached_door.sign_up("is-here-now@example.com")
    await as_admin(cached_door, "DELETE", "/api/cache/clear")
    with trace.following():
        warmed = await as_admin(cached_door, "POST", "/api/cache/warm")
    trace.must_pass(
        "warm: top scores",
        "call: queries.list_top",
        "redis told",
        "memory told: scoreboard_top:*",
        "warm: active sessions",
        "warm: configuration",
        "warm: limits",
    )
    assert [step for step in trace.steps if step.startswith("warm: ")] == [f"warm: {part}" for part in DRAWN]
    assert warmed["itemsCached"] >= len(DRAWN) and warmed["failed"] == []
    with trace.following():
        assert (await cached_door.ask("GET", f"{APP}/api/scoreboard")).status == 200
    trace.must_not_pass("call: queries.list_top", "redis told", "take: *")


async def test_every_five_minutes_hot_values_are_refreshed_while_the_old_ones_answer(
    cached_door: Door, trace: Trace
) -> None:
    caching = part_of(cached_door, "/api/cache/stats", Caching)
    warmer = caching.warmer
    await cached_door.ask("GET", f"{APP}/api/scoreboard")
    warmer._began_at = None  # it was done long ago
    with trace.following():
        seconds = await warmer._round()
        assert caching.cache.peek(TOPS, TopOf("default", 1).name) is not MISSING
    assert 270 <= seconds <= 330, "five minutes, a tenth more or less"
    trace.must_pass("warm: top scores", "call: queries.list_top", "redis told", "memory told: scoreboard_top:*")


async def test_a_part_that_fails_is_named_and_hinders_no_other(
    cached_door: Door, trace: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_down(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken, trace.following():
        broken.setattr(queries, "list_boards", break_down)
        warmed = await as_admin(cached_door, "POST", "/api/cache/warm")
    assert warmed["failed"] == ["top scores"]
    trace.must_pass(*(f"warm: {part}" for part in DRAWN))
