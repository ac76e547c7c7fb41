"""The scoreboard's tables, and ranks held in memory and in a Redis."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import pytest

from headwater.kernel.database import Database
from headwater.kernel.observe import Observer
from headwater.kernel.redis import Redis
from tests.kit.redis import RedisServer

from ...ranks import Ranks
from .world import Opened, World

MIGRATION = Path(__file__).parents[2] / "migrations" / "0001_create_scoreboard.sql"


@pytest.fixture
async def tables(database: Database) -> Database:
    """A database with the scoreboard's tables."""
    there = await database.reading(lambda tx: tx.value("select to_regclass('scoreboard.scores')::text"))
    if there is None:
        await database.writing(lambda tx: tx.execute(MIGRATION.read_text()))
    return database


@pytest.fixture
async def world(tables: Database, seeded: Random) -> World:
    """A board of twelve players, on which the most wins."""
    world = World(tables, seeded, "arena", ascending=False)
    await world.open(12)
    return world


@pytest.fixture(params=[False, True], ids=["the most wins", "the least wins"])
async def either_order(tables: Database, seeded: Random, request: pytest.FixtureRequest) -> World:
    """The same in either order."""
    world = World(tables, seeded, "arena", ascending=request.param)
    await world.open(12)
    return world


@pytest.fixture
async def full_world(tables: Database, seeded: Random) -> World:
    """A board of 3,000 players who all have a score: its rows come in several parts."""
    world = World(tables, seeded, "crowd", ascending=False)
    await world.open(3000)
    await world.fill()
    return world


@pytest.fixture
async def opened(database: Database, observer: Observer) -> AsyncIterator[Opened]:
    """Opens the ranks of one more process: `await opened(redis)`, or without one."""
    async with AsyncExitStack() as stack:

        async def open_one(redis: Redis | None = None) -> Ranks:
            if redis is not None:
                await redis.start()
                stack.push_async_callback(redis.stop)
            ranks = Ranks(database, observer, redis)
            ranks.start()
            stack.push_async_callback(ranks.stop)
            return ranks

        yield open_one


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.needs("redis-server"))])
async def ranks(request: pytest.FixtureRequest, opened: Opened, observer: Observer, redis_prefix: str) -> Ranks:
    """Ranks that hold nothing yet, of either kind."""
    if request.param == "memory":
        return await opened()
    server: RedisServer = request.getfixturevalue("redis_server")
    return await opened(server.open(observer, prefix=redis_prefix))
