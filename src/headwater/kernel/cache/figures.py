"""Counts of lookups as figures for people."""

from headwater.kernel.cache.models import FamilyFigures
from headwater.kernel.observe import CacheCounts, quantile


def share(part: float, whole: float) -> float | None:
    """A part of a whole, from 0 to 1; None of nothing."""
    return part / whole if whole else None


def figures_of(counts: CacheCounts, lifetime: float) -> FamilyFigures:
    """One family as it is told; `lifetime` in seconds."""
    return FamilyFigures(
        family=counts.family,
        lookups=counts.lookups,
        memory_hits=counts.memory_hits,
        redis_hits=counts.shared_hits,
        joined=counts.joined,
        loads=counts.loads,
        late=counts.late,
        refreshed=counts.refreshed,
        evictions=counts.evictions,
        hit_rate=share(counts.hits, counts.lookups),
        redis_hit_rate=share(counts.shared_hits, counts.shared_hits + counts.loads),
        entries=counts.entries,
        bytes=counts.weight,
        lifetime=lifetime,
        p50=quantile(counts.times.latest, 0.5),
        p99=quantile(counts.times.latest, 0.99),
    )
