"""One house for every test that plays."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from .game import Game, Player, open_game
from .scenario import Scene


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_game() -> AsyncIterator[Game]:
    """The house."""
    async with open_game() as game:
        yield game


@pytest.fixture
def game(shared_game: Game) -> Game:
    """The house, with nobody over a limit and nothing heard yet."""
    shared_game.relieve()
    shared_game.heard.nothing()
    return shared_game


@pytest_asyncio.fixture(loop_scope="session")
async def ada(game: Game) -> Player:
    """A player."""
    return await game.register()


@pytest_asyncio.fixture(loop_scope="session")
async def grace(game: Game) -> Player:
    """Another player."""
    return await game.register()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cast(shared_game: Game) -> tuple[Player, Player]:
    """Ada and grace, who stay."""
    return await shared_game.register("ada"), await shared_game.register("grace")


@pytest_asyncio.fixture(loop_scope="session")
async def scene(game: Game, cast: tuple[Player, Player]) -> AsyncIterator[Scene]:
    """A board of this test's own, with those two."""
    board = await game.open_board()
    yield Scene(game, *cast, board)
    await game.told(game.admin, "DELETE", f"/api/boards/{board}")
