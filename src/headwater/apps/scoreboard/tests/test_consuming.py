"""What consumers make of many changes at once; one whose board is gone stops nobody."""

import asyncio
from uuid import UUID

import pytest

from headwater.apps.scoreboard.events import ScoreChanged
from headwater.kernel.database import WritingTransaction

from .game import Game, Player

pytestmark = pytest.mark.asyncio(loop_scope="session")
ACTIONS = 12


async def hours(game: Game, board: str, actions: int) -> list[dict[str, int]]:
    """A board's hours, once so many actions are in them."""
    async with asyncio.timeout(10):
        while True:
            told = await game.told(game.admin, "GET", f"/api/boards/{board}/hours")
            if sum(hour["actions"] for hour in told) >= actions:
                return told
            await asyncio.sleep(0.02)


def changed(player: Player, board: str, score: int, revision: int, game: Game) -> ScoreChanged:
    """A change that nobody made."""
    return ScoreChanged(
        board=board,
        season=1,
        user_id=UUID(player.id),
        username=player.name,
        points=10,
        score=score,
        standing=-score,
        reached_at=game.clock.now(),
        revision=revision,
        hidden=False,
    )


async def test_many_changes_at_once_are_each_counted_once(game: Game, ada: Player, grace: Player) -> None:
    one, other = await game.open_board(), await game.open_board()

    async def emit(tx: WritingTransaction) -> None:
        for number in range(ACTIONS):
            tx.emit(changed(ada, one, number, number, game))
            tx.emit(changed(grace, other, number, number, game))

    await game.house.database.writing(emit)
    for board in (one, other):
        [hour] = await hours(game, board, ACTIONS)
        assert (hour["actions"], hour["points"]) == (ACTIONS, ACTIONS * 10)


async def test_changes_of_a_board_that_is_gone_stop_no_consumer(game: Game, ada: Player) -> None:
    board = await game.open_board()
    await game.house.database.writing(lambda tx: _emit(tx, changed(ada, "gone", 10, 1, game)))
    await game.act(ada, 10, board)
    [hour] = await hours(game, board, 1)
    assert (hour["actions"], hour["points"]) == (1, 10)


async def _emit(tx: WritingTransaction, event: ScoreChanged) -> None:
    tx.emit(event)
