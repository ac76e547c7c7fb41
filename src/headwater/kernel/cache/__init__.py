"""What was worked out once and holds for a while: memory of this process over Redis, with one loader for each key.

And who looks after it: a monitor that judges its figures, a warmer that loads ahead what is asked for most.
"""

from headwater.kernel.cache.cache import Cache
from headwater.kernel.cache.family import CacheFamily
from headwater.kernel.cache.figures import share
from headwater.kernel.cache.models import (
    MISSING,
    Alert,
    AlertKind,
    CacheFigures,
    CacheSettings,
    FamilyFigures,
    Missing,
    Reaction,
    ReactionKind,
    RedisFigures,
)
from headwater.kernel.cache.monitor import CacheMonitor
from headwater.kernel.cache.warming import BoundWarming, Warmed, WarmedPart, Warmer, Warming, WarmingStage

__all__ = [
    "MISSING",
    "Alert",
    "AlertKind",
    "BoundWarming",
    "Cache",
    "CacheFamily",
    "CacheFigures",
    "CacheMonitor",
    "CacheSettings",
    "FamilyFigures",
    "Missing",
    "Reaction",
    "ReactionKind",
    "RedisFigures",
    "Warmed",
    "WarmedPart",
    "Warmer",
    "Warming",
    "WarmingStage",
    "share",
]
