"""Watching a board: who is connected, and what he is told."""

from dataclasses import dataclass

import msgspec

from headwater.apps.scoreboard.delivery import Broadcaster, spoken
from headwater.apps.scoreboard.errors import BoardNotFound, TooManyWatchers
from headwater.apps.scoreboard.events import BoardRemoved, ScoreChanged, SeasonBegan
from headwater.apps.scoreboard.models import Ping, RemovedUser, ScoreboardSettings, Watched
from headwater.apps.scoreboard.models.caching import ScoreOf, TopOf
from headwater.apps.scoreboard.operations.standings import Standings
from headwater.apps.scoreboard.operations.telling import change_of
from headwater.apps.scoreboard.ranks import Ranks
from headwater.apps.scoreboard.renewals import Renewals
from headwater.kernel.clock import Clock, moment
from headwater.kernel.database import Transactions
from headwater.kernel.errors import InvalidInput
from headwater.kernel.principal import Principal
from headwater.kernel.sockets import Handshake, Socket


@dataclass(frozen=True)
class Watching:
    """The verbs of watchers, and what every node does when a score has changed."""

    settings: ScoreboardSettings
    standings: Standings
    ranks: Ranks
    renewals: Renewals
    broadcaster: Broadcaster
    clock: Clock

    async def warm(self, transactions: Transactions) -> None:
        """From now on bring changed scores back into the caches, and tell a board's watchers what became of it."""
        self.renewals.start(lambda asked: self.standings.load_scores(transactions, asked))
        self.broadcaster.start(lambda board: self._view(transactions, board))

    async def close(self) -> None:
        """Tell nobody anything more."""
        await self.broadcaster.stop()
        await self.renewals.stop()

    async def welcome(self, transactions: Transactions, socket: Socket, handshake: Handshake) -> None:
        """Let a socket watch the board that its query names, `?board=default`; it is told its id and the places.

        Who is refused is told so and closed. Raises `InvalidInput`, `BoardNotFound`, `TooManyWatchers`.
        """
        board = await self.standings.board(transactions, _board_asked(handshake))
        if self.broadcaster.watchers >= self.settings.watchers:
            raise TooManyWatchers
        now = self.clock.now()
        told = {"status": "connected", "connectionId": socket.id, "board": board.name, "timestamp": moment(now)}
        socket.emit("connection_status", spoken(told, now))
        await self.broadcaster.join(socket, board.name)

    async def ping(self, _transactions: Transactions, _principal: Principal, body: Ping) -> None:
        """Answer that the server is there; a watcher may say nothing else, and nothing he says reaches others."""
        body.socket.emit("pong", spoken({"connectionId": body.socket.id}, self.clock.now()))

    async def renew_score(self, told: ScoreChanged) -> None:
        """On the node that changed it: the caches, which forgot the old score, are about to have the new one."""
        self.renewals.mark(ScoreOf(told.board, told.season, told.user_id))

    async def follow_score(self, told: ScoreChanged) -> None:
        """On every node: the ranks know the change, and the board's watchers are about to.

        Who was hidden or shown again was told of before this node's ranks knew it: first places that were loaded in
        between counted him, or not, and would for as long as they are remembered.
        """
        await self.ranks.apply(change_of(told))
        if told.points == 0:
            await self.standings.forget_tops_of((TopOf(told.board, told.season),))
        self.broadcaster.mark(told.board)

    async def follow_season(self, told: SeasonBegan) -> None:
        """On every node: the ranks of the board begin from nothing."""
        await self.ranks.begin_season(told.board, told.season)
        self.broadcaster.mark(told.board)

    async def follow_removal(self, told: BoardRemoved) -> None:
        """On every node: nothing is left of the board's ranks."""
        await self.ranks.drop(told.board)

    async def follow_leaving(self, told: RemovedUser) -> None:
        """On every node: whoever's account is gone is on no board."""
        seasons = await self.ranks.remove_player(told.user_id)
        await self.standings.forget_tops_of([TopOf(live.board, live.season) for live in seasons])
        for live in seasons:
            self.broadcaster.mark(live.board)

    async def catch_up(self, transactions: Transactions) -> None:
        """After changes may have been missed: take the ranks from the rows, and tell all who watch."""
        await self.ranks.load(transactions)
        await self.standings.forget_tops(transactions)
        self.broadcaster.mark_all()

    async def _view(self, transactions: Transactions, name: str) -> bytes | None:
        """A board's first places in JSON; None where the board is gone."""
        try:
            return await self.standings.top(transactions, await self.standings.board(transactions, name))
        except BoardNotFound:
            return None


def _board_asked(handshake: Handshake) -> str:
    """Which board a socket wants to watch; raises `InvalidInput`."""
    try:
        return msgspec.convert(handshake.query, Watched).board
    except msgspec.ValidationError as failure:
        raise InvalidInput(reason=f"board: {str(failure).partition(' - at ')[0]}") from failure
