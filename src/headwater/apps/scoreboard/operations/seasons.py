"""A board within a transaction: found, begun anew if its time has come."""

from headwater.apps.scoreboard import queries, rules
from headwater.apps.scoreboard.errors import BoardNotFound
from headwater.apps.scoreboard.events import SeasonBegan
from headwater.apps.scoreboard.models import Board
from headwater.apps.scoreboard.models.caching import BOARDS
from headwater.kernel.database import ReadingTransaction, WritingTransaction


async def must_find_board(tx: ReadingTransaction, name: str) -> Board:
    """A board; raises `BoardNotFound`."""
    board = await queries.find_board(tx, name)
    if board is None:
        raise BoardNotFound(board=name)
    return board


async def current(tx: WritingTransaction, name: str) -> Board:
    """A board in the season that the present moment belongs to, however late the timer. Raises `BoardNotFound`."""
    board = await must_find_board(tx, name)
    if not rules.is_due(board, tx.now):
        return board
    locked = await queries.lock_board(tx, name)
    if locked is None:
        raise BoardNotFound(board=name)
    return await begun_anew(tx, locked) if rules.is_due(locked, tx.now) else locked


async def begun_anew(tx: WritingTransaction, board: Board) -> Board:
    """A locked board in its next season; the scores so far are its archive."""
    following = await queries.begin_season(tx, board.name, rules.next_reset(board.resets, board.zone, tx.now))
    tx.forget(BOARDS.key(board.name))
    tx.emit(SeasonBegan(board=board.name, season=following.season))
    return following
