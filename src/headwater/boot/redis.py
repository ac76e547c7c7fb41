"""Redis, where the settings name one, and what stands with or without it: the cache, the limits."""

from contextlib import AsyncExitStack
from time import monotonic

from headwater.boot.errors import InvalidSetting
from headwater.boot.foundation import Ground
from headwater.boot.parts import Parts
from headwater.kernel.bus import Bus, Nodes
from headwater.kernel.cache import Cache, CacheMonitor, CacheSettings, Warmer
from headwater.kernel.component import BoundCheck
from headwater.kernel.limits import Limiter, MemoryLimiter, RedisLimiter
from headwater.kernel.observe import CacheCollector, MetricsListener
from headwater.kernel.redis import InvalidRedisUrl, Redis, RedisSettings


async def open_redis(stack: AsyncExitStack, ground: Ground) -> Redis | None:
    """The Redis of the settings, until the stack is closed; None where they name none.

    One that cannot be reached is looked for, and the house opens without it. Raises `InvalidSetting`.
    """
    settings = ground.settings.part(RedisSettings)
    if settings.url is None:
        return None
    try:
        redis = Redis(settings, settings.url, ground.observer)
    except InvalidRedisUrl as failure:
        raise InvalidSetting(name="HEADWATER_REDIS_URL", reason=str(failure)) from failure
    stack.push_async_callback(redis.stop)
    await redis.start()
    return redis


def add_cache(
    stack: AsyncExitStack, parts: Parts, ground: Ground, metrics: MetricsListener, redis: Redis | None
) -> Cache:
    """Let components ask for the cache and for who looks after it, and count what becomes of lookups."""
    settings = ground.settings.part(CacheSettings)
    cache = Cache(redis, parts.find(Bus), parts.find(Nodes), ground.clock, settings)
    stack.push_async_callback(cache.stop)
    memory = cache.memory
    collector = CacheCollector(lambda: cache.counts, lambda: memory.weight, lambda: memory.capacity)
    metrics.registry.register(collector)
    stack.callback(metrics.registry.unregister, collector)
    warmer = Warmer(ground.clock, ground.observer, settings.warm_every)
    monitor = CacheMonitor(cache, ground.clock, ground.observer, settings, warmer.hurry)
    for part in (cache, warmer, monitor):
        parts.add(part)
    return cache


def limiter_over(redis: Redis | None) -> Limiter:
    """What counts requests: with Redis for all processes together, without it for each alone."""
    memory = MemoryLimiter(monotonic)
    return memory if redis is None else RedisLimiter(redis, memory)


def redis_check(redis: Redis) -> BoundCheck:
    """Whether Redis answers; the house is degraded without it, and no more than that."""
    return BoundCheck(name="redis", check=redis.confirm, essential=False)
