"""What is done on one node is true on the other: two houses over one database, and the bus between them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from tests.faults.outside import OutsidePostgres
from tests.flows.players import hear, watching

from .game import Game, listed, open_game
from .test_consumers import comes_true
from .test_defects import code

pytestmark = pytest.mark.asyncio(loop_scope="module")
KEY = "rE7wq0Zp4mUj2bXn6sTt8vYc1dAf3gHk"


class Nodes(NamedTuple):
    """Two houses, whose clocks go alike."""

    one: Game
    other: Game

    def advance(self, seconds: float) -> None:
        for node in self:
            node.clock.advance(seconds)

    async def pass_time(self) -> None:
        """Let time pass until cancelled."""
        while True:
            self.advance(0.2)
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def postgres() -> Iterator[OutsidePostgres]:
    """A PostgreSQL of this module's own: the nodes' roles are its."""
    running = OutsidePostgres()
    yield running
    running.remove()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def nodes(postgres: OutsidePostgres) -> AsyncIterator[Nodes]:
    """The two."""
    await postgres.run("create database nodes")
    settings = {"HEADWATER_DATABASE_URL": postgres.url(database="nodes"), "HEADWATER_ENCRYPTION_KEY": KEY}
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(open_game(settings))
        yield Nodes(one, await stack.enter_async_context(open_game(settings)))


async def until_told(node: Game, target: str, look: Callable[[Any], bool], who: str | None = None) -> None:
    """Return once a node answers so: caches are forgotten before an answer leaves, ranks follow by the bus."""

    async def is_so() -> bool:
        return look(await node.told(who, "GET", target))

    await comes_true(is_so)


async def test_points_places_ranks_and_watchers(nodes: Nodes) -> None:
    one, other = nodes
    board = await one.open_board()
    ada, grace = await one.register(), await other.register()
    async with watching(other.door, f"board={board}") as client:
        await hear(client, "scoreboard_update")
        await one.act(ada, 10, board)
        assert await other.places(board) == [(1, ada.name, 10)], "the first look after the answer"
        assert listed(await hear(client, "scoreboard_update")) == [(1, ada.name, 10)]
        nodes.advance(1)
        await other.act(grace, 20, board)
        nodes.advance(1)
        assert await one.places(board) == [(1, grace.name, 20), (2, ada.name, 10)]
        one_of_ada = f"/api/scoreboard/user/{ada.id}?board={board}"
        for node in nodes:
            await until_told(node, one_of_ada, lambda told: (told["score"], told["rank"]) == (10, 2), ada.token)
        page = f"/api/scoreboard?board={board}&limit=5"
        await until_told(one, page, lambda told: [place[2] for place in listed(told)] == [20, 10])

        await one.told(one.admin, "PATCH", f"/api/players/{grace.id}", {"hidden": True})
        assert await other.places(board) == [(1, ada.name, 10)]
        await until_told(other, one_of_ada, lambda told: told["rank"] == 1, ada.token)
        for node in nodes:  # no time passes that would end what caches remember
            await until_told(node, f"/api/scoreboard?board={board}", lambda told: told["totalUsers"] == 1)
        await one.told(one.admin, "PATCH", f"/api/players/{grace.id}", {"hidden": False})
        for node in nodes:
            await until_told(node, f"/api/scoreboard?board={board}", lambda told: told["totalUsers"] == 2)

        nodes.advance(1)
        removed = await other.ask(other.admin, "DELETE", "/api/auth/users", {"userIds": [grace.id]})
        assert removed.status == 200
        assert await one.places(board) == [(1, ada.name, 10)]
        for node in nodes:
            await until_told(node, f"/api/scoreboard?board={board}", lambda told: told["totalUsers"] == 1)
            await until_told(node, one_of_ada, lambda told: (told["rank"], told["totalUsers"]) == (1, 1), ada.token)
            gone = await node.ask(ada, "GET", f"/api/scoreboard/user/{grace.id}?board={board}")
            assert code(gone) == (404, "USER_NOT_FOUND")

        nodes.advance(1)
        await one.told(one.admin, "POST", f"/api/boards/{board}/reset")
        assert await other.places(board) == []
        passing = asyncio.ensure_future(nodes.pass_time())
        while listed(await hear(client, "scoreboard_update")):
            pass
        passing.cancel()
        assert (await other.act(ada, 1, board))["rank"] == 1


async def test_an_action_posted_to_both_at_once_counts_once(nodes: Nodes) -> None:
    one, other = nodes
    ada = await one.register()
    board = await other.open_board()
    action = await other.action(ada, 10, board)
    answers = await asyncio.gather(one.update(ada, action), other.update(ada, action))
    assert sorted(answer.status for answer in answers) == [200, 400]
    for node in nodes:
        assert await node.places(board) == [(1, ada.name, 10)]
