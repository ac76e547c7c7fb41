"""One house for every test that plays."""

from collections.abc import AsyncIterator
from datetime import timedelta

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


class Cast:
    """Ada and grace, who stay, and sign in again after an hour of the clock: some tests move it by days."""

    def __init__(self, game: Game, ada: Player, grace: Player) -> None:
        self._game = game
        self._players = ada, grace
        self._since = game.clock.now()

    async def players(self) -> tuple[Player, Player]:
        """The two, with tokens that are good now."""
        now = self._game.clock.now()
        if abs(now - self._since) > timedelta(hours=1):
            ada, grace = self._players
            self._players = await self._game.sign_in(ada), await self._game.sign_in(grace)
            self._since = now
        return self._players


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cast(shared_game: Game) -> Cast:
    """The two of this run."""
    return Cast(shared_game, await shared_game.register("ada"), await shared_game.register("grace"))


@pytest_asyncio.fixture(loop_scope="session")
async def scene(game: Game, cast: Cast) -> AsyncIterator[Scene]:
    """A board of this test's own, with those two."""
    players = await cast.players()
    board = await game.open_board()
    yield Scene(game, *players, board)
    await game.told(game.admin, "DELETE", f"/api/boards/{board}")
