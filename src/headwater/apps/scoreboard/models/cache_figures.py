"""What the scoreboard tells of its cache, in the contract's shape."""

from datetime import datetime
from typing import Literal

import msgspec


class RedisStats(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Redis: its hits are of the lookups that memory could not answer; memory is all that it takes, in bytes.

    `keyspace` counts this app's keys by family, now; null where Redis is away or does not tell.
    """

    status: Literal["connected", "away", "off"]
    hit_rate: float | None
    memory_usage: int | None
    memory_limit: int | None
    keyspace: dict[str, int] | None
    keyspace_complete: bool


class MemoryStats(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """This process' own memory: all of its families in `bytes` of `capacity`, and how much of it is this app's."""

    hit_rate: float | None
    bytes: int
    capacity: int
    usage: float
    entries: int
    own_bytes: int


class Performance(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """This app's lookups since the process started; times in milliseconds, of those that memory could not answer."""

    lookups: int
    hits: int
    loads: int
    hit_rate: float | None
    average_response_time: float | None
    """Of all lookups: one that memory answers takes less than a microsecond, and counts as none."""
    p50: float | None
    p99: float | None


class FamilyStats(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One family of this app; `lifetime` in seconds, times in milliseconds."""

    family: str
    lookups: int
    memory_hits: int
    redis_hits: int
    joined: int
    loads: int
    refreshed: int
    evictions: int
    hit_rate: float | None
    entries: int
    bytes: int
    lifetime: float
    p50: float | None
    p99: float | None


class CacheAlert(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An alert that is on; no family where it is all of the memory."""

    kind: Literal["low_hit_rate", "high_memory", "slow_response"]
    family: str | None
    figure: float
    threshold: float
    since: datetime


class CacheReaction(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the house did about an alert."""

    at: datetime
    alert: str
    kind: str
    told: str


class WarmedPartStats(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One part of the latest warming; `duration` in milliseconds."""

    name: str
    items: int
    duration: float
    reason: str | None


class LastWarming(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The latest warming; `duration` in milliseconds."""

    at: datetime
    items: int
    duration: float
    parts: tuple[WarmedPartStats, ...]


class CacheStats(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Everything about the cache that is known; every figure was counted or measured."""

    redis: RedisStats
    memory: MemoryStats
    performance: Performance
    families: tuple[FamilyStats, ...]
    alerts: tuple[CacheAlert, ...]
    reactions: tuple[CacheReaction, ...]
    last_warming: LastWarming | None


class CacheWarmth(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a warming loaded; `duration` in milliseconds, `failed` names the parts that could not be."""

    message: str
    items_cached: int
    duration: float
    failed: tuple[str, ...]


class CacheClearance(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How many keys of this app there were, and are no more."""

    message: str
    keys_deleted: int
