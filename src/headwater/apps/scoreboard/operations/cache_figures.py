"""How figures of the cache are told."""

from collections.abc import Iterable, Sequence

from headwater.apps.scoreboard.models.cache_figures import (
    CacheAlert,
    CacheReaction,
    FamilyStats,
    LastWarming,
    MemoryStats,
    Performance,
    RedisStats,
    WarmedPartStats,
)
from headwater.kernel.cache import Alert, CacheFigures, FamilyFigures, Reaction, Warmed, share
from headwater.kernel.observe import CacheCounts, quantile


def redis_stats(figures: CacheFigures, own: Sequence[FamilyFigures]) -> RedisStats:
    """Redis as this app's families see it."""
    hits = sum(each.redis_hits for each in own)
    names, keys = {each.family for each in own}, figures.redis.keys
    return RedisStats(
        status=figures.redis.status,
        hit_rate=share(hits, hits + sum(each.loads for each in own)) if figures.redis.status != "off" else None,
        memory_usage=figures.redis.bytes,
        memory_limit=figures.redis.most_bytes,
        keyspace=None if keys is None else {name: count for name, count in keys.items() if name in names},
        keyspace_complete=figures.redis.complete,
    )


def memory_stats(figures: CacheFigures, own: Sequence[FamilyFigures]) -> MemoryStats:
    """This process' memory, and what of it is this app's."""
    return MemoryStats(
        hit_rate=share(sum(each.memory_hits for each in own), sum(each.lookups for each in own)),
        bytes=figures.bytes,
        capacity=figures.capacity,
        usage=share(figures.bytes, figures.capacity) or 0.0,
        entries=figures.entries,
        own_bytes=sum(each.bytes for each in own),
    )


def performance(counted: Iterable[CacheCounts]) -> Performance:
    """All lookups of this app together."""
    own = list(counted)
    lookups, hits = sum(each.lookups for each in own), sum(each.hits for each in own)
    latest = [seconds for each in own for seconds in each.times.latest]
    return Performance(
        lookups=lookups,
        hits=hits,
        loads=sum(each.loads for each in own),
        hit_rate=share(hits, lookups),
        average_response_time=_milliseconds(share(sum(each.times.seconds for each in own), lookups)),
        p50=_milliseconds(quantile(latest, 0.5)),
        p99=_milliseconds(quantile(latest, 0.99)),
    )


def family_stats(figures: FamilyFigures) -> FamilyStats:
    """One family."""
    return FamilyStats(
        family=figures.family,
        lookups=figures.lookups,
        memory_hits=figures.memory_hits,
        redis_hits=figures.redis_hits,
        joined=figures.joined,
        loads=figures.loads,
        refreshed=figures.refreshed,
        evictions=figures.evictions,
        hit_rate=figures.hit_rate,
        entries=figures.entries,
        bytes=figures.bytes,
        lifetime=figures.lifetime,
        p50=_milliseconds(figures.p50),
        p99=_milliseconds(figures.p99),
    )


def told_alert(alert: Alert) -> CacheAlert:
    """An alert that is on."""
    return CacheAlert(
        kind=alert.kind.value,
        family=alert.family or None,
        figure=alert.figure,
        threshold=alert.threshold,
        since=alert.since,
    )


def told_reaction(reaction: Reaction) -> CacheReaction:
    """What was done about one."""
    return CacheReaction(at=reaction.at, alert=reaction.alert, kind=reaction.kind, told=reaction.told)


def told_warming(warmed: Warmed) -> LastWarming:
    """The latest warming."""
    parts = tuple(
        WarmedPartStats(name=part.name, items=part.items, duration=part.seconds * 1000, reason=part.reason)
        for part in warmed.parts
    )
    return LastWarming(at=warmed.at, items=warmed.items, duration=warmed.seconds * 1000, parts=parts)


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000
