"""Two nodes on one PostgreSQL, with a Redis or without, and what is done to them while somebody works there."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from contextlib import ExitStack, contextmanager
from random import Random
from typing import Any

import asyncpg

from tests.faults.outside import OutsidePostgres
from tests.kit.nodes import Nodes, outside_postgres, two_nodes
from tests.kit.redis import RedisServer
from tests.kit.server import RunningServer

DATABASE = "headwater"
LASTING = {"HEADWATER_FLOW_SOCKETS_PER_MINUTE": "1000000", "HEADWATER_IDENTITY_ACCESS_LIFETIME": "36000"}
"""All clients come from one address, and their tokens outlive the slowest machine's work at the stated counts."""
Blow = Callable[[], Awaitable[None]]


class Scene:
    """Two nodes, what they stand on, and how often what was done to them; whoever is killed comes back by himself."""

    def __init__(self, random: Random, outside: OutsidePostgres, nodes: Nodes, redis: RedisServer | None) -> None:
        self.random = random
        self.outside = outside
        self.nodes = nodes
        self.redis = redis
        self.urls = [node.url for node in nodes]
        self.database = outside.url(database=DATABASE)
        self.done: Counter[str] = Counter()
        self.steady = asyncio.Lock()
        """Held by who needs Postgres to stay as it is, or changes that."""
        self._down: set[RunningServer] = set()
        self._begun: list[asyncio.Task[None]] = []

    async def strike(self, blows: Mapping[str, Blow], counts: Mapping[str, int], pause: tuple[float, float]) -> None:
        """So many blows of each sort in any order, with a pause (seconds, at least and at most) before each.

        What they have begun, such as a start after a kill, has ended when this returns.
        """
        kinds = [kind for kind, count in counts.items() for _ in range(count)]
        self.random.shuffle(kinds)
        for kind in kinds:
            await asyncio.sleep(self.random.uniform(*pause))
            await blows[kind]()
            self.done[kind] += 1
        await asyncio.gather(*self._begun)
        self._begun.clear()

    def begin(self, work: Coroutine[None, None, None]) -> None:
        """Have something done while other things go on; `strike` waits for it."""
        self._begun.append(asyncio.create_task(work))

    async def kill(self) -> None:
        """Kill a node that is up, and begin to start it again."""
        while not (up := [node for node in self.nodes if node not in self._down]):  # noqa: ASYNC110 - it rings no bell
            await asyncio.sleep(0.05)
        node = self.random.choice(up)
        self._down.add(node)
        await asyncio.to_thread(node.kill)
        self.begin(self._start_again(node))

    async def _start_again(self, node: RunningServer) -> None:
        try:
            await asyncio.sleep(self.random.uniform(0, 1))
            async with self.steady:
                await asyncio.to_thread(node.start_again)
        finally:
            self._down.discard(node)

    async def restart_redis(self) -> None:
        """Kill Redis, if there is one, and start it after a moment."""
        if self.redis is not None:
            await asyncio.to_thread(self.redis.kill)
            await asyncio.sleep(self.random.uniform(0, 1))
            await asyncio.to_thread(self.redis.start)

    async def rows(self, statement: str, *arguments: object) -> list[dict[str, Any]]:
        """What a statement says."""
        connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(dsn=self.database)
        try:
            return [dict(row) for row in await connection.fetch(statement, *arguments)]
        finally:
            await connection.close()


@contextmanager
def two_nodes_to_hurt(
    environment: Mapping[str, str], *, with_redis: bool
) -> Generator[tuple[OutsidePostgres, Nodes, RedisServer | None]]:
    """What a scene is made of, for the length of a block; in the end both nodes are up, and stop as they should."""
    with ExitStack() as stack:
        outside = stack.enter_context(outside_postgres())
        told = {**LASTING, **environment}
        redis = RedisServer() if with_redis else None
        if redis is not None:
            stack.callback(redis.remove)
            told["HEADWATER_REDIS_URL"] = redis.url
        nodes = stack.enter_context(two_nodes(outside, database=DATABASE, environment=told))
        yield outside, nodes, redis
        assert [node.process.poll() for node in nodes] == [None, None]
