"""Lets every component begin, and loads ahead what is asked for most: before the house is ready, and ever after."""

from contextlib import AsyncExitStack
from functools import partial

from headwater.boot.binding import bound
from headwater.boot.parts import Parts
from headwater.kernel.cache import BoundWarming, CacheMonitor, Warmer, WarmingStage
from headwater.kernel.component import Components
from headwater.kernel.database import Database, Transactions
from headwater.kernel.limits import Limiter, RedisLimiter


async def begin(stack: AsyncExitStack, parts: Parts, components: Components) -> None:
    """Let every operations class begin; those that can `close` do so at the end."""
    for kind in (kind for component in components for kind in component.operation_classes):
        part = parts.find(kind)
        if close := getattr(part, "close", None):
            stack.push_async_callback(close)
        if warm := getattr(part, "warm", None):
            await warm(Transactions(parts.find(Database)))


async def keep_warm(stack: AsyncExitStack, parts: Parts, components: Components) -> None:
    """Load ahead what components declare, then what limits are worked out with; go on so, and look after the cache."""
    warmer, monitor, limiter = parts.find(Warmer), parts.find(CacheMonitor), parts.find(Limiter)
    for component in components:
        for declared in component.warmings:
            operation = bound(parts, component, declared.operation)
            warm = partial(operation, Transactions(parts.find(Database)))
            warmer.add(BoundWarming(name=declared.name, stage=declared.stage, warm=warm))
    if isinstance(limiter, RedisLimiter):
        warmer.add(BoundWarming(name="limits", stage=WarmingStage.LIMITS, warm=limiter.prepare))
    await warmer.warm()
    for part in (warmer, monitor):
        part.start()
        stack.push_async_callback(part.stop)
