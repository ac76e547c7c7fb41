"""Tells a board's watchers what became of it, at most so often, and always the newest at last."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from headwater.apps.scoreboard.models import ScoreboardSettings
from headwater.kernel.bus import Rounds
from headwater.kernel.clock import Clock, moment
from headwater.kernel.observe import Observer
from headwater.kernel.sockets import OwnRooms, Socket

View = Callable[[str], Awaitable[bytes | None]]


class Broadcaster:
    """The watchers of this process, by board, and the boards they have not been told of yet.

    A change marks its board; the board is told at once if it was not told within `1 / updates_per_second`, and else
    when that time is over: so a burst becomes one message, and the last change is always told. What is told is read
    when it is told, never remembered.
    """

    def __init__(self, rooms: OwnRooms, clock: Clock, observer: Observer, settings: ScoreboardSettings) -> None:
        self._rooms = rooms
        self._clock = clock
        self._pause = 1 / settings.updates_per_second
        self._marked: set[str] = set()
        self._told_at: dict[str, float] = {}
        self._tellings: dict[str, int] = {}
        self._view: View | None = None
        self._rounds = Rounds("scoreboard", observer, self._tell)
        self.watchers = 0

    def start(self, view: View) -> None:
        """Begin to tell; `view` makes a board's message, None for a board that is gone."""
        self._view = view
        self._rounds.start()

    async def stop(self) -> None:
        """Tell nobody anything more."""
        await self._rounds.stop()

    async def join(self, socket: Socket, board: str) -> None:
        """Tell the socket of a board from now on, and at once what it looks like.

        Where everybody is told meanwhile, that is newer than what was to be told him alone.
        """
        self.watchers += 1
        socket.when_closed(self._count_out)
        self._rooms.join(socket, board)
        tellings = self._tellings.setdefault(board, 0)
        view = None if self._view is None else await self._view(board)
        if view is not None and tellings == self._tellings.get(board, 0):
            socket.emit("scoreboard_update", spoken(msgspec.Raw(view), self._clock.now()))

    def mark(self, board: str) -> None:
        """Something is different on a board."""
        self._marked.add(board)
        self._rounds.ring()

    def mark_all(self) -> None:
        """Something may be different on any board that somebody was told of."""
        self._marked.update(self._tellings)
        self._rounds.ring()

    async def _tell(self) -> float | None:
        """Tell the marked boards whose time has come; seconds until the next one's.

        A board that could not be read stays marked; raises what the last of them raised.
        """
        now, soonest, failed = self._clock.timestamp(), None, None
        for board in tuple(self._marked):
            wait = self._told_at.get(board, 0.0) + self._pause - now
            if 0 < wait <= self._pause:
                soonest = wait if soonest is None else min(wait, soonest)
                continue
            self._marked.discard(board)
            self._told_at[board] = now
            try:
                await self._tell_one(board)
            except Exception as failure:  # noqa: BLE001 - the other boards' watchers are waiting
                self._marked.add(board)
                failed = failure
        if failed is not None:
            raise failed
        return soonest

    async def _tell_one(self, board: str) -> None:
        if self._view is None or not self._rooms.members(board):
            return
        view = await self._view(board)
        if view is None:
            self._told_at.pop(board, None)
            self._tellings.pop(board, None)
            return
        self._tellings[board] = self._tellings.get(board, 0) + 1
        self._rooms.broadcast(board, "scoreboard_update", spoken(msgspec.Raw(view), self._clock.now()))

    def _count_out(self) -> None:
        self.watchers -= 1


def spoken(told: object, now: datetime) -> dict[str, object]:
    """What is told, beside the moment it is told, as the contract's messages have it."""
    return {"data": told, "timestamp": moment(now)}
