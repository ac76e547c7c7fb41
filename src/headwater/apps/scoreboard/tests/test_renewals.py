"""Scores that changed come back into the caches, and never an older one: two nodes, any interleaving."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import pytest

from headwater.apps.scoreboard.models.caching import SCORES, KnownScore, ScoreOf
from headwater.apps.scoreboard.renewals import Renewals
from headwater.kernel.cache import MISSING, Cache
from headwater.kernel.observe import Observer
from headwater.kernel.redis import Redis
from tests.kernel.cache.conftest import Open, open_cache, opened
from tests.kit.sockets import until

__all__ = ["open_cache", "opened"]
pytestmark = pytest.mark.needs("redis-server")
PLAYERS = [ScoreOf("default", 1, UUID(int=number)) for number in range(3)]


class Rows:
    """What is committed; who reads is held where a test says so, with what he has read in hand."""

    def __init__(self, seeded: random.Random) -> None:
        self.scores = dict.fromkeys(PLAYERS, 0)
        self.reads = 0
        self._seeded = seeded

    async def read(self, asked: Sequence[ScoreOf]) -> Mapping[ScoreOf, KnownScore]:
        """The scores as they were when this was called, some turns of the loop later."""
        self.reads += 1
        found = {whose: KnownScore(username="ada", score=self.scores[whose], hidden=False) for whose in asked}
        await asyncio.sleep(self._seeded.choice((0, 0, 0.002, 0.01)))
        return found


class Node:
    """One process: changes scores as updates do, and answers as the board does."""

    def __init__(self, cache: Cache, rows: Rows, observer: Observer) -> None:
        self.cache = cache
        self.rows = rows
        self.renewals = Renewals(cache, observer)
        self.renewals.start(rows.read)

    async def update(self, whose: ScoreOf, points: int) -> int:
        """Commit, forget, mark: the score that is answered."""
        self.rows.scores[whose] += points
        score = self.rows.scores[whose]
        await self.cache.forget([SCORES.key(whose.name)])
        self.renewals.mark(whose)
        return score

    async def show(self, whose: ScoreOf) -> int:
        """The score that is shown now."""

        async def load() -> KnownScore | None:
            return (await self.rows.read([whose])).get(whose)

        known = await self.cache.through(SCORES, whose.name, load)
        assert known is not None
        return known.score


@pytest.mark.parametrize("with_redis", [False, True])
async def test_whoever_was_answered_never_finds_an_older_score(
    open_cache: Open, opened: Callable[[], Redis], observer: Observer, seeded: random.Random, with_redis: bool
) -> None:
    rows = Rows(seeded)
    nodes = [Node(await open_cache(opened() if with_redis else None), rows, observer) for _ in range(2)]

    async def play(steps: int) -> None:
        for _ in range(steps):
            whose = seeded.choice(PLAYERS)
            answered = await seeded.choice(nodes).update(whose, seeded.randint(1, 9))
            for node in nodes:
                assert await node.show(whose) >= answered
            await asyncio.sleep(seeded.choice((0, 0.003)))

    await asyncio.gather(*(play(12) for _ in range(4)))
    for whose in PLAYERS:
        await nodes[0].update(whose, 1)
    await until(lambda: all(nodes[0].cache.peek(SCORES, whose.name) is not MISSING for whose in PLAYERS))
    for node in nodes:
        await node.renewals.stop()
        assert [await node.show(whose) for whose in PLAYERS] == [rows.scores[whose] for whose in PLAYERS]


async def test_what_another_node_changed_while_it_was_read_is_not_kept(
    open_cache: Open, opened: Callable[[], Redis], observer: Observer
) -> None:
    whose, rows = PLAYERS[0], Rows(random.Random(1))
    one, other = [Node(await open_cache(opened()), rows, observer) for _ in range(2)]
    read, may_go = asyncio.Event(), asyncio.Event()
    load = rows.read

    async def held(asked: Sequence[ScoreOf]) -> Mapping[ScoreOf, KnownScore]:
        found = await load(asked)
        read.set()
        await may_go.wait()
        return found

    one.renewals._load = held
    await one.update(whose, 50)
    await read.wait()
    assert await other.update(whose, 20) == 70
    may_go.set()
    await until(lambda: other.cache.peek(SCORES, whose.name) is not MISSING)
    assert [await node.show(whose) for node in (one, other)] == [70, 70]
    for node in (one, other):
        await node.renewals.stop()


async def test_many_changes_are_read_at_once_and_nobody_is_told_of_a_lookup(
    open_cache: Open, observer: Observer
) -> None:
    rows = Rows(random.Random(1))
    node = Node(await open_cache(None), rows, observer)
    for whose in PLAYERS:
        rows.scores[whose] = 7
        node.renewals.mark(whose)
    await until(lambda: all(node.cache.peek(SCORES, whose.name) is not MISSING for whose in PLAYERS))
    await node.renewals.stop()
    [counts] = node.cache.counts
    assert (rows.reads, counts.refreshed, counts.loads) == (1, 3, 0)
