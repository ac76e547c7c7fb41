"""How the scoreboard is."""

from dataclasses import dataclass
from typing import Literal

from headwater.apps.scoreboard.models.caching import FAMILIES
from headwater.apps.scoreboard.models.health import CacheHealth, ScoreboardHealth
from headwater.kernel.cache import Cache
from headwater.kernel.clock import Clock
from headwater.kernel.component import HealthChecks
from headwater.kernel.database import Transactions
from headwater.kernel.principal import Principal
from headwater.kernel.sockets import OwnRooms

_OURS = frozenset(family.name for family in FAMILIES)
_DRAWN = {name: place for place, name in enumerate(("database", "redis", "sockets", "external"))}
"""The parts that the drawing asks in turn; they are asked all at once, and told in its order."""


@dataclass(frozen=True)
class Health:
    """API, database, Redis, sockets and outside services at a glance, as the drawing asks for them in turn."""

    checks: HealthChecks
    cache: Cache
    rooms: OwnRooms
    clock: Clock

    async def report(self, _transactions: Transactions, _principal: Principal, _body: None) -> ScoreboardHealth:
        """How every part was, at most a second ago."""
        parts = sorted(await self.checks.report(), key=lambda part: _DRAWN.get(part.name, len(_DRAWN)))
        lacking = [part for part in parts if not part.well]
        redis = next((part for part in parts if part.name == "redis"), None)
        connected: Literal["connected", "disconnected"] = "connected" if redis and redis.well else "disconnected"
        hits = loads = 0
        for counts in self.cache.counts:
            if counts.family in _OURS:
                hits += counts.memory_hits + counts.shared_hits
                loads += counts.loads
        return ScoreboardHealth(
            status="unhealthy" if any(part.essential for part in lacking) else "degraded" if lacking else "healthy",
            timestamp=self.clock.now(),
            websocket_connections=len(self.rooms),
            cache=CacheHealth(
                redis="not configured" if redis is None else connected,
                hit_rate=hits / (hits + loads) if hits + loads else None,
                memory_usage=self.cache.weight,
            ),
            parts={"api": "up", **{part.name: "up" if part.well else "down" for part in parts}},
        )
