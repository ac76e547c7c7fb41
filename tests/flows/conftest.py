"""A house without its port, and the door to it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.flows.trace import Trace
from tests.kit.door import Door, open_door
from tests.kit.redis import RedisServer


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def door() -> AsyncIterator[Door]:
    """A whole house; each statement runs on a connection whose taking is a step."""
    async with open_door({"HEADWATER_DATABASE_PIPELINES": "0"}) as opened:
        yield opened


@pytest.fixture
def trace(monkeypatch: pytest.MonkeyPatch) -> Trace:
    """A trace of this test's own."""
    return Trace(monkeypatch)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cached_door(redis_server: RedisServer) -> AsyncIterator[Door]:
    """The same beside a Redis, with a monitor of the cache that judges ten lookups, and looks when it is told to."""
    settings = {
        "HEADWATER_DATABASE_PIPELINES": "0",
        "HEADWATER_REDIS_URL": redis_server.url,
        "HEADWATER_REDIS_PREFIX": "flows",
        "HEADWATER_CACHE_LEAST_LOOKUPS": "10",
        "HEADWATER_CACHE_LOOK_EVERY": "3600",
    }
    async with open_door(settings) as opened:
        yield opened
