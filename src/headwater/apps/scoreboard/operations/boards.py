"""Boards: opened, changed, begun anew, removed."""

from dataclasses import dataclass
from datetime import timedelta

import msgspec

from headwater.apps.scoreboard import queries, rules
from headwater.apps.scoreboard.errors import BoardExists, BoardNotFound, DefaultBoardStays
from headwater.apps.scoreboard.events import BoardOpened, BoardRemoved
from headwater.apps.scoreboard.models import (
    Board,
    BoardChange,
    BoardName,
    Hour,
    HoursAsked,
    NewBoard,
    ScoreboardSettings,
    Season,
)
from headwater.apps.scoreboard.models.accounts import DEFAULT_BOARD
from headwater.apps.scoreboard.models.caching import BOARDS, TOPS, TopOf
from headwater.apps.scoreboard.operations.seasons import begun_anew, must_find_board
from headwater.kernel.database import ReadingTransaction, WritingTransaction
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import Principal


@dataclass(frozen=True)
class Boards:
    """The verbs of boards; only an admin changes one."""

    settings: ScoreboardSettings

    async def list_boards(self, tx: ReadingTransaction, _principal: Principal, _body: None) -> list[Board]:
        """Every board, the default one first."""
        return await queries.list_boards(tx)

    async def show_board(self, tx: ReadingTransaction, _principal: Principal, body: BoardName) -> Board:
        """One board. Raises `BoardNotFound`."""
        return await must_find_board(tx, body.board)

    async def open_board(self, tx: WritingTransaction, principal: Principal, body: NewBoard) -> Board:
        """A new board; one with a start, an end or a limit of entries is a tournament.

        Raises `BoardExists`, `InvalidBoard`.
        """
        rules.must_make_sense(body)
        if not await queries.add_board(tx, body, rules.next_reset(body.resets, body.zone, tx.now)):
            raise BoardExists(board=body.name)
        tx.emit(BoardOpened(board=body.name))
        self._note(tx, principal, "BOARD_OPENED", body.name)
        return await must_find_board(tx, body.name)

    async def change_board(self, tx: WritingTransaction, principal: Principal, body: BoardChange) -> Board:
        """The board after its title, ceiling or end was changed. Raises `BoardNotFound`, `InvalidBoard`."""
        known = await queries.lock_board(tx, body.board)
        if known is None:
            raise BoardNotFound(board=body.board)
        ends_at = known.ends_at if body.ends_at is msgspec.UNSET else body.ends_at
        rules.must_be_in_order(known.starts_at, ends_at)
        board = await queries.update_board(tx, known, body.title, body.ceiling, ends_at)
        tx.emit(BoardOpened(board=body.board))
        self._note(tx, principal, "BOARD_CHANGED", body.board)
        return board

    async def remove_board(self, tx: WritingTransaction, principal: Principal, body: BoardName) -> None:
        """Remove a board and every score on it. Raises `BoardNotFound`, `DefaultBoardStays`."""
        if body.board == DEFAULT_BOARD:
            raise DefaultBoardStays
        board = await queries.lock_board(tx, body.board)
        if board is None:
            raise BoardNotFound(board=body.board)
        await queries.remove_board(tx, body.board)
        tx.forget(TOPS.key(TopOf(board.name, board.season).name))
        tx.emit(BoardRemoved(board=body.board))
        self._note(tx, principal, "BOARD_REMOVED", body.board)

    async def reset_board(self, tx: WritingTransaction, principal: Principal, body: BoardName) -> Board:
        """Begin a board anew now; its scores so far are an archive. Raises `BoardNotFound`."""
        board = await queries.lock_board(tx, body.board)
        if board is None:
            raise BoardNotFound(board=body.board)
        self._note(tx, principal, "BOARD_RESET", body.board)
        return await begun_anew(tx, board)

    async def list_seasons(self, tx: ReadingTransaction, _principal: Principal, body: BoardName) -> list[Season]:
        """The seasons of a board that somebody played in, the newest first. Raises `BoardNotFound`."""
        await must_find_board(tx, body.board)
        return await queries.list_seasons(tx, body.board)

    async def list_hours(self, tx: ReadingTransaction, _principal: Principal, body: HoursAsked) -> list[Hour]:
        """How much happened on a board in each of the last hours, the newest first. Raises `BoardNotFound`."""
        await must_find_board(tx, body.board)
        return await queries.list_hours(tx, body.board, tx.now - timedelta(hours=body.hours))

    async def reset_due_boards(self, tx: WritingTransaction) -> None:
        """Begin every board anew whose season is over; for a timer, which may come late without harm."""
        for board in await queries.lock_due_boards(tx):
            await begun_anew(tx, board)

    async def remove_old(self, tx: WritingTransaction) -> None:
        """Forget archived seasons and logged actions that are older than the settings keep; for a timer."""
        await queries.remove_old_seasons(tx, self.settings.keep_seasons)
        await queries.remove_old_actions(tx, tx.now - timedelta(days=self.settings.keep_actions_days))

    def _note(self, tx: WritingTransaction, principal: Principal, action: str, board: str) -> None:
        tx.forget(BOARDS.key(board))
        tx.audit(AuditEntry(action=action, module="scoreboard", details={"board": board, "by": principal.key}))
