"""Two processes' caches over one Postgres and one Redis."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from headwater.kernel.bus import Nodes, PostgresBus
from headwater.kernel.cache import Cache, CacheSettings
from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Connect, Database
from headwater.kernel.observe import Observer
from headwater.kernel.redis import Redis
from tests.kit.redis import RedisServer

Open = Callable[..., Awaitable[Cache]]


@pytest.fixture
async def open_cache(
    connector: Connect, database: Database, observer: Observer, clock: DrivenClock
) -> AsyncIterator[Open]:
    """Opens the cache of one more process of the house: `await open_cache(redis, settings)`."""
    async with AsyncExitStack() as stack:

        async def open_one(redis: Redis | None = None, settings: CacheSettings | None = None) -> Cache:
            bus = PostgresBus(connector, database, observer)
            nodes = Nodes(bus, observer)
            if redis is not None:
                await redis.start()
                stack.push_async_callback(redis.stop)
            await bus.start()
            stack.push_async_callback(bus.stop)
            await nodes.start()
            stack.push_async_callback(nodes.stop)
            cache = Cache(redis, bus, nodes, clock, settings or CacheSettings())
            stack.push_async_callback(cache.stop)
            return cache

        yield open_one


@pytest.fixture
def opened(redis_server: RedisServer, redis_prefix: str, observer: Observer) -> Callable[[], Redis]:
    """One more client of the same house on the Redis of all."""
    return lambda: redis_server.open(observer, prefix=redis_prefix)
