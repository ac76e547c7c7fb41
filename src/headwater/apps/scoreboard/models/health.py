"""How the scoreboard is, in the contract's shape."""

from datetime import datetime
from typing import Literal

import msgspec


class CacheHealth(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The cache at a glance: `hit_rate` from 0 to 1 of the lookups so far, None before any; memory in bytes."""

    redis: Literal["connected", "disconnected", "not configured"]
    hit_rate: float | None
    memory_usage: int


class ScoreboardHealth(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`status` is unhealthy where a part is away that nothing works without, degraded where another one is."""

    status: Literal["healthy", "degraded", "unhealthy"]
    timestamp: datetime
    websocket_connections: int
    cache: CacheHealth
    parts: dict[str, Literal["up", "down"]]
