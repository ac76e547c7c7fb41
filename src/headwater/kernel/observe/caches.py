"""What caches count of themselves, for a scrape."""

from collections.abc import Callable, Iterable, Iterator

import msgspec
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override


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


class CacheCollector(Collector):
    """Reads the counts, and the bytes in memory, of one cache whenever it is scraped."""

    def __init__(self, counts: Callable[[], Iterable[CacheCounts]], weight: Callable[[], int]) -> None:
        self._counts = counts
        self._weight = weight

    @override
    def collect(self) -> Iterator[Metric]:
        """Lookups, evictions and late loads by family, and the memory in use."""
        lookups = CounterMetricFamily(
            "headwater_cache_lookups", "Lookups, by what answered them", labels=("family", "from")
        )
        evictions = CounterMetricFamily("headwater_cache_evictions", "Values that made room", labels=("family",))
        late = CounterMetricFamily("headwater_cache_late_loads", "Values loaded and not kept", labels=("family",))
        for each in self._counts():
            sources = (("memory", each.memory_hits), ("redis", each.shared_hits), ("joined", each.joined))
            for source, count in (*sources, ("load", each.loads)):
                lookups.add_metric((each.family, source), count)
            evictions.add_metric((each.family,), each.evictions)
            late.add_metric((each.family,), each.late)
        memory = GaugeMetricFamily("headwater_cache_bytes", "About how much memory the cache takes")
        memory.add_metric((), self._weight())
        yield from (lookups, evictions, late, memory)
