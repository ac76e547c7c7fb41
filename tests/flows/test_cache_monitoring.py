"""The drawing "Cache Monitoring Flow"; docs/flows/cache-monitoring.md."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from headwater.apps.scoreboard.models.caching import BOARDS, SCORES, TOPS
from headwater.apps.scoreboard.operations import Caching
from headwater.kernel.cache import AlertKind, CacheFamily, CacheMonitor, ReactionKind
from headwater.kernel.cache.lifetimes import Lifetimes
from headwater.kernel.cache.memory import Memory
from tests.flows.players import APP, as_admin, enter, part_of
from tests.flows.trace import Trace, noting
from tests.kit.door import Door

NAMES = CacheFamily("names", str, ttl=300)
"""Of nobody else: full or slow by the test alone."""

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.needs("redis-server")]
ENOUGH = 10
"""Lookups of which the monitor of `cached_door` makes a judgement."""


@pytest.fixture
def trace(trace: Trace) -> Trace:
    """Watches who is drawn: the monitor, its three judgements, and what is done about each."""
    trace.watch(CacheMonitor, "look")
    trace.watch(CacheMonitor, "_judge_hits", noting("hits of {1.family}"))
    trace.watch(CacheMonitor, "_judge_times", noting("times of {1.family}"))
    trace.watch(CacheMonitor, "_judge_memory", noting("memory"))
    trace.watch(Lifetimes, "lengthen")
    trace.watch(CacheMonitor, "_optimise")
    trace.watch(Memory, "clear_old")
    trace.watch(CacheMonitor, "_widen")
    return trace


@pytest.fixture
def caching(cached_door: Door) -> Iterator[Caching]:
    """Who looks after the cache; the house is as it was afterwards."""
    caching = part_of(cached_door, "/api/cache/stats", Caching)
    caching.monitor.look()
    memory, lifetimes = caching.cache.memory, caching.cache.lifetimes
    capacity = memory.capacity
    yield caching
    memory.capacity = capacity
    lifetimes._lengthened.clear()
    caching.monitor._alerts.clear()
    caching.monitor._reactions.clear()


async def told(door: Door) -> tuple[list[tuple[str, Any]], list[tuple[str, str]]]:
    """The alerts and the reactions that the admin is told of."""
    figures = await as_admin(door, "GET", "/api/cache/stats")
    alerts = [(alert["kind"], alert["family"]) for alert in figures["alerts"]]
    return alerts, [(reaction["alert"], reaction["kind"]) for reaction in figures["reactions"]]


async def test_few_hits_raise_an_alert_and_the_cache_is_optimised(
    cached_door: Door, trace: Trace, caching: Caching
) -> None:
    player = await enter(cached_door, "asks-for-nobody")
    for _ in range(ENOUGH):
        assert (await player.ask("GET", f"{APP}/api/scoreboard/user/{uuid4()}")).status == 404
    caching.warmer._began_at = None  # a warming that was begun within the last minute is not repeated
    with trace.following():
        caching.monitor.look()
    trace.must_pass(
        "call: CacheMonitor.look",
        "hits of scoreboard_score",
        "call: CacheMonitor._optimise",
        "call: Lifetimes.lengthen",
    )
    assert caching.cache.lifetimes.of(SCORES) == 450
    alerts, reactions = await told(cached_door)
    assert (AlertKind.LOW_HIT_RATE.value, "scoreboard_score") in alerts
    assert {(alert, kind) for alert, kind in reactions} >= {
        (AlertKind.LOW_HIT_RATE.value, ReactionKind.LENGTHEN.value),
        (AlertKind.LOW_HIT_RATE.value, ReactionKind.WARM.value),
    }


async def test_memory_that_is_nearly_full_raises_an_alert_and_old_values_are_cleared(
    cached_door: Door, trace: Trace, caching: Caching
) -> None:
    memory = caching.cache.memory
    for number in range(40):
        await caching.cache.put(NAMES, f"somebody-{number}", "a name")
    memory.capacity = int(memory.weight / 0.95)
    before = len(memory)
    with trace.following():
        caching.monitor.look()
    trace.must_pass("call: CacheMonitor.look", "memory", "call: Memory.clear_old")
    assert memory.weight <= 0.75 * memory.capacity and len(memory) < before
    alerts, reactions = await told(cached_door)
    assert (AlertKind.HIGH_MEMORY.value, None) in alerts
    assert (AlertKind.HIGH_MEMORY.value, ReactionKind.CLEAR_OLD.value) in reactions


async def test_slow_answers_raise_an_alert_and_the_process_may_hold_more(
    cached_door: Door, trace: Trace, caching: Caching
) -> None:
    async def load() -> None:
        await asyncio.sleep(0.11)

    before = caching.cache.memory.capacity
    await asyncio.gather(*(caching.cache.through(BOARDS, f"slow-{number}", load) for number in range(ENOUGH)))
    with trace.following():
        caching.monitor.look()
    trace.must_pass("call: CacheMonitor.look", f"times of {BOARDS.name}", "call: CacheMonitor._widen")
    assert caching.cache.memory.capacity >= before * 5 // 4
    alerts, reactions = await told(cached_door)
    assert (AlertKind.SLOW_RESPONSE.value, BOARDS.name) in alerts
    assert (AlertKind.SLOW_RESPONSE.value, ReactionKind.WIDEN.value) in reactions


async def test_a_cache_that_is_well_is_looked_at_and_left_alone(
    cached_door: Door, trace: Trace, caching: Caching
) -> None:
    for _ in range(2 * ENOUGH):
        await cached_door.ask("GET", f"{APP}/api/scoreboard")
    with trace.following():
        caching.monitor.look()
    trace.must_pass("call: CacheMonitor.look", f"hits of {TOPS.name}", f"times of {TOPS.name}", "memory")
    trace.must_not_pass("call: Lifetimes.lengthen", "call: Memory.clear_old", "call: CacheMonitor._widen")
    assert await told(cached_door) == ([], [])
