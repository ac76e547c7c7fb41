"""The monitor raises its three alerts by true figures, does what is drawn about each, and ends them."""

from typing import Any

import msgspec
import pytest

from headwater.kernel.cache import AlertKind, Cache, CacheFamily, CacheMonitor, CacheSettings, ReactionKind
from headwater.kernel.clock import DrivenClock
from headwater.kernel.observe import (
    CacheAlertEnded,
    CacheAlertRaised,
    CacheTended,
    MetricsListener,
    Observation,
    Observer,
)
from tests.kernel.cache.conftest import Open
from tests.kernel.cache.kit import PAGES, ROWS, Loader

STRETCHED = CacheFamily("stretched", int, ttl=30, longest_ttl=60)
SETTINGS = CacheSettings(memory_bytes=100_000, memory_most_bytes=150_000, least_lookups=10)


class Watch:
    """A monitor over a cache, and everything it tells."""

    def __init__(self, cache: Cache, clock: DrivenClock, settings: CacheSettings = SETTINGS) -> None:
        self.told: list[Observation] = []
        self.metrics = MetricsListener()
        self.hurried = 0
        self.cache = cache
        self.monitor = CacheMonitor(cache, clock, Observer(self.told.append, self.metrics), settings, self.hurry)

    def hurry(self) -> bool:
        self.hurried += 1
        return True

    def seen(self, kind: type[Any]) -> list[Any]:
        return [each for each in self.told if isinstance(each, kind)]

    def metric(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)

    @property
    def kinds(self) -> list[ReactionKind]:
        return [reaction.kind for reaction in self.monitor.reactions][::-1]


@pytest.fixture
async def watch(open_cache: Open, clock: DrivenClock) -> Watch:
    return Watch(await open_cache(None, SETTINGS), clock)


async def look_up(cache: Cache, family: CacheFamily[int], *names: int) -> None:
    for name in names:
        await cache.through(family, str(name), Loader(name))


async def test_a_low_hit_rate_lengthens_what_may_be_and_warms(watch: Watch, clock: DrivenClock) -> None:
    await look_up(watch.cache, STRETCHED, *range(9))
    watch.monitor.look()
    assert watch.monitor.alerts == (), "nine lookups are too few to judge"
    await look_up(watch.cache, STRETCHED, 100)
    watch.monitor.look()
    [alert] = watch.monitor.alerts
    assert (alert.kind, alert.family, alert.figure, alert.threshold) == (AlertKind.LOW_HIT_RATE, "stretched", 0, 0.8)
    assert watch.seen(CacheAlertRaised) == [CacheAlertRaised("low_hit_rate", "stretched", 0.0, 0.8)]
    assert watch.kinds == [ReactionKind.LENGTHEN, ReactionKind.WARM] and watch.hurried == 1
    assert watch.cache.lifetimes.of(STRETCHED) == 45
    assert watch.metric("headwater_cache_alert", alert="low_hit_rate", family="stretched") == 1
    assert watch.metric("headwater_cache_reactions_total", reaction="lengthen") == 1
    await look_up(watch.cache, STRETCHED, *range(200, 210))
    clock.advance(15)
    watch.monitor.look()
    assert watch.cache.lifetimes.of(STRETCHED) == 60, "no longer than the family allows"
    assert len(watch.seen(CacheAlertRaised)) == 1, "an alert that is on is not raised again"
    await look_up(watch.cache, STRETCHED, *[5] * 20)
    watch.monitor.look()
    assert watch.monitor.alerts == ()
    assert watch.seen(CacheAlertEnded) == [CacheAlertEnded("low_hit_rate", "stretched", 1.0, 15.0)]
    assert watch.metric("headwater_cache_alert", alert="low_hit_rate", family="stretched") == 0
    await look_up(watch.cache, STRETCHED, 999)
    clock.advance(59)
    assert watch.cache.peek(STRETCHED, "999") == 999


async def test_a_family_that_others_rely_on_is_never_lengthened(watch: Watch) -> None:
    await look_up(watch.cache, ROWS, *range(10))
    watch.monitor.look()
    assert watch.kinds == [ReactionKind.WARM]
    assert watch.cache.lifetimes.of(ROWS) == ROWS.ttl


async def test_memory_nearly_full_is_cleared_of_what_is_old(open_cache: Open, clock: DrivenClock) -> None:
    settings = msgspec.structs.replace(SETTINGS, least_lookups=1000)
    watch = Watch(await open_cache(None, settings), clock, settings)
    short = CacheFamily("short", bytes, ttl=5)
    for number in range(40):
        await watch.cache.through(short, str(number), Loader(b"x" * 600))
    clock.advance(10)
    for number in range(55):
        await watch.cache.through(PAGES, str(number), Loader(b"x" * 600))
    assert watch.cache.memory.weight > 90_000
    watch.monitor.look()
    assert [(alert.kind, alert.family) for alert in watch.monitor.alerts] == [(AlertKind.HIGH_MEMORY, "")]
    assert watch.kinds == [ReactionKind.CLEAR_OLD]
    figures = {each.family: each.entries for each in (await watch.cache.describe()).families}
    assert figures == {"short": 0, "pages": 55}, "what holds no more goes before what is used"
    watch.monitor.look()
    assert watch.monitor.alerts == () and len(watch.seen(CacheAlertEnded)) == 1
    for number in range(95):
        await watch.cache.through(PAGES, f"more{number}", Loader(b"x" * 600))
    watch.monitor.look()
    assert watch.cache.memory.weight <= 75_000


async def test_slow_lookups_let_this_process_hold_more_up_to_a_bound(watch: Watch) -> None:
    await look_up(watch.cache, ROWS, 1)
    [counts] = watch.cache.counts
    for _ in range(10):
        counts.times.add(0.2)
    watch.monitor.look()
    [alert] = watch.monitor.alerts
    assert (alert.kind, alert.family, alert.figure) == (AlertKind.SLOW_RESPONSE, "rows", 0.2)
    assert watch.kinds == [ReactionKind.WIDEN] and watch.cache.memory.capacity == 125_000
    for _ in range(2):
        for _ in range(10):
            counts.times.add(0.2)
        watch.monitor.look()
    assert watch.cache.memory.capacity == 150_000
    for _ in range(10):
        counts.times.add(0.001)
    watch.monitor.look()
    assert watch.monitor.alerts == () and watch.kinds == [ReactionKind.WIDEN] * 2
    assert [each.reaction for each in watch.seen(CacheTended)] == ["widen", "widen"]


async def test_values_pushed_out_too_early_are_a_reason_to_hold_more(watch: Watch) -> None:
    for number in range(120):
        await watch.cache.through(PAGES, str(number % 120), Loader(b"x" * 600))
    watch.monitor.look()
    assert ReactionKind.WIDEN in watch.kinds and watch.cache.memory.capacity == 125_000
