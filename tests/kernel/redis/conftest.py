"""Our client on a real Redis."""

from collections.abc import AsyncIterator

import pytest

from headwater.kernel.observe import Observer
from headwater.kernel.redis import Redis
from tests.kit.redis import RedisServer


@pytest.fixture
async def redis(redis_server: RedisServer, redis_prefix: str, observer: Observer) -> AsyncIterator[Redis]:
    """A started client."""
    opened = redis_server.open(observer, prefix=redis_prefix)
    await opened.start()
    yield opened
    await opened.stop()


@pytest.fixture
async def fragile(own_redis: RedisServer, observer: Observer) -> AsyncIterator[Redis]:
    """A started client of the Redis that is to be hurt."""
    opened = own_redis.open(observer)
    await opened.start()
    yield opened
    await opened.stop()
