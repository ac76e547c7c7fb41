"""What caches count of themselves, for a scrape and for who looks after them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import ceil

import msgspec
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

_SAMPLE = 512
QUANTILES = (0.5, 0.99)


class Times:
    """How long something took: how often and how long in all, and the latest 512 times; in seconds."""

    __slots__ = ("count", "latest", "seconds")

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0
        self.latest: deque[float] = deque(maxlen=_SAMPLE)

    def add(self, seconds: float) -> None:
        """Take in one more."""
        self.count += 1
        self.seconds += seconds
        self.latest.append(seconds)

    def newest(self, count: int) -> list[float]:
        """The times of the latest so many, as far as they are kept."""
        return list(self.latest)[-count:] if count > 0 else []


def quantile(times: Sequence[float], share: float) -> float | None:
    """The least of `times` that at least this share of them does not exceed; None of none."""
    return sorted(times)[max(0, ceil(share * len(times)) - 1)] if times else None


class CacheCounts(msgspec.Struct):
    """What became of the lookups in one family of keys; counted in place, because a hit takes less than a call."""

    family: str
    memory_hits: int = 0
    shared_hits: int = 0
    joined: int = 0
    """Lookups that waited for another one of the same process."""
    loads: int = 0
    evictions: int = 0
    """Values that made room for others in memory."""
    late: int = 0
    """Values that were loaded and not kept, because they had been forgotten meanwhile or the load took too long."""
    refreshed: int = 0
    """Values that were loaded ahead, which no lookup waited for."""
    entries: int = 0
    """How many values lie in memory now."""
    weight: int = 0
    """About how many bytes they take."""
    times: Times = msgspec.field(default_factory=Times)
    """Of the lookups that memory could not answer; one that it can takes less than it would cost to time it."""

    @property
    def hits(self) -> int:
        """Lookups that found what was remembered, here or in Redis."""
        return self.memory_hits + self.shared_hits

    @property
    def lookups(self) -> int:
        """All of them, each once."""
        return self.hits + self.joined + self.loads


class CacheCollector(Collector):
    """Reads the counts, and the bytes in memory, of one cache whenever it is scraped."""

    def __init__(
        self, counts: Callable[[], Iterable[CacheCounts]], weight: Callable[[], int], capacity: Callable[[], int]
    ) -> None:
        self._counts = counts
        self._weight = weight
        self._capacity = capacity

    @override
    def collect(self) -> Iterator[Metric]:
        """Lookups and their times, evictions, late loads and what lies in memory by family, and the memory in use."""
        lookups = CounterMetricFamily(
            "headwater_cache_lookups", "Lookups, by what answered them", labels=("family", "from")
        )
        evictions = CounterMetricFamily("headwater_cache_evictions", "Values that made room", labels=("family",))
        late = CounterMetricFamily("headwater_cache_late_loads", "Values loaded and not kept", labels=("family",))
        refreshed = CounterMetricFamily("headwater_cache_refreshed", "Values loaded ahead", labels=("family",))
        entries = GaugeMetricFamily("headwater_cache_entries", "Values in memory", labels=("family",))
        held = GaugeMetricFamily("headwater_cache_family_bytes", "About their bytes", labels=("family",))
        for each in self._counts():
            sources = (("memory", each.memory_hits), ("redis", each.shared_hits), ("joined", each.joined))
            for source, count in (*sources, ("load", each.loads)):
                lookups.add_metric((each.family, source), count)
            evictions.add_metric((each.family,), each.evictions)
            late.add_metric((each.family,), each.late)
            refreshed.add_metric((each.family,), each.refreshed)
            entries.add_metric((each.family,), each.entries)
            held.add_metric((each.family,), each.weight)
        yield from (lookups, evictions, late, refreshed, entries, held, self._times())
        for name, text, figure in (
            ("headwater_cache_bytes", "About how much memory the cache takes", self._weight()),
            ("headwater_cache_capacity_bytes", "How much it may take", self._capacity()),
        ):
            gauge = GaugeMetricFamily(name, text)
            gauge.add_metric((), figure)
            yield gauge

    def _times(self) -> Metric:
        name = "headwater_cache_lookup_seconds"
        times = SummaryMetricFamily(name, "Time of lookups that memory could not answer", labels=("family",))
        for each in self._counts():
            times.add_metric((each.family,), each.times.count, each.times.seconds)
            for share in QUANTILES if each.times.count else ():
                labels = {"family": each.family, "quantile": str(share)}
                times.add_sample(name, labels, quantile(each.times.latest, share) or 0.0)
        return times
