"""Where the admin looks after the cache."""

from headwater.apps.scoreboard.endpoints.envelope import ENVELOPE
from headwater.apps.scoreboard.models.cache_figures import CacheClearance, CacheStats, CacheWarmth
from headwater.apps.scoreboard.operations.caching import Caching
from headwater.kernel.component import Access, Endpoint, Limit, Mode, Warming, WarmingStage

_LIMIT = Limit(name="scoreboard.cache", count=20, seconds=60, by="principal")

ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/cache/stats",
        operation=Caching.show_stats,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        limits=(_LIMIT,),
        result=CacheStats,
        envelope=ENVELOPE,
        x_rate_limit=True,
    ),
    Endpoint(
        method="POST",
        path="/api/cache/warm",
        operation=Caching.warm_cache,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        limits=(_LIMIT,),
        result=CacheWarmth,
        envelope=ENVELOPE,
        x_rate_limit=True,
    ),
    Endpoint(
        method="DELETE",
        path="/api/cache/clear",
        operation=Caching.clear_cache,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        limits=(_LIMIT,),
        result=CacheClearance,
        envelope=ENVELOPE,
        x_rate_limit=True,
    ),
)
WARMINGS = (Warming(name="top scores", stage=WarmingStage.CONTENT, operation=Caching.warm_boards),)
