"""Places, as anybody may see them."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from headwater.apps.scoreboard import queries, rules
from headwater.apps.scoreboard.errors import BoardNotFound, PlayerNotFound
from headwater.apps.scoreboard.events import BoardRemoved
from headwater.apps.scoreboard.models import (
    Around,
    Board,
    Friends,
    History,
    HistoryPage,
    OwnStanding,
    Place,
    PlayerOnBoard,
    RemovedUser,
    Scoreboard,
    SeasonScores,
    Slice,
)
from headwater.apps.scoreboard.models.caching import BOARDS, SCORES, TOPS, KnownScore, ScoreOf, TopOf
from headwater.apps.scoreboard.models.ranks import Standing
from headwater.apps.scoreboard.operations.seasons import must_find_board
from headwater.apps.scoreboard.ranks import Ranks
from headwater.kernel.cache import Cache
from headwater.kernel.clock import moment
from headwater.kernel.database import ReadingTransaction, Transactions
from headwater.kernel.errors import InvalidInput
from headwater.kernel.principal import Principal

TOP = 10


@dataclass(frozen=True)
class Standings:
    """The verbs of whoever looks: the first ten from the cache, every other place from the ranks."""

    cache: Cache
    ranks: Ranks

    async def show_scoreboard(self, transactions: Transactions, _principal: Principal, body: Slice) -> object:
        """Places `offset` to `offset + limit` of a board. Raises `BoardNotFound`."""
        board = await self.board(transactions, body.board)
        if body.offset == 0 and body.limit == TOP:
            return msgspec.Raw(await self.top(transactions, board))
        listed = await self.ranks.page(board.name, board.season, body.offset, body.limit)
        return await self._named(transactions, board, board.season, listed)

    async def show_season(self, transactions: Transactions, _principal: Principal, body: SeasonScores) -> Scoreboard:
        """Places of one season of a board, archived or not. Raises `BoardNotFound`."""
        board = await self.board(transactions, body.board)
        listed = await self.ranks.page(board.name, body.season, body.offset, body.limit)
        return await self._named(transactions, board, body.season, listed)

    async def show_around(self, transactions: Transactions, principal: Principal, body: Around) -> Scoreboard:
        """The caller's place, with those before and after it; nothing for who has none. Raises `BoardNotFound`."""
        board = await self.board(transactions, body.board)
        user_id = rules.player_of(principal)
        listed = await self.ranks.around(board.name, board.season, user_id, body.above, body.below)
        return await self._named(transactions, board, board.season, listed)

    async def show_friends(self, transactions: Transactions, principal: Principal, body: Friends) -> Scoreboard:
        """The places of the caller and of those he lists, in order. Raises `BoardNotFound`, `TooManyFriends`."""
        friends = rules.friends_of(rules.player_of(principal), body.users)
        board = await self.board(transactions, body.board)
        found = [
            one
            for friend in friends
            for one in await self.ranks.around(board.name, board.season, friend, above=0, below=0)
        ]
        found.sort(key=lambda standing: standing.rank)
        return await self._named(transactions, board, board.season, found)

    async def show_player(self, transactions: Transactions, _principal: Principal, body: PlayerOnBoard) -> OwnStanding:
        """A player's score and exact rank. Raises `PlayerNotFound`, `BoardNotFound`."""
        board = await self.board(transactions, body.board)
        known = await self.score(transactions, ScoreOf(board.name, board.season, body.user_id))
        if known is None:
            raise PlayerNotFound
        return OwnStanding(
            user_id=body.user_id,
            username=known.username,
            score=known.score,
            rank=await self.ranks.rank(board.name, board.season, body.user_id),
            total_users=await self.ranks.count(board.name, board.season),
        )

    async def list_history(self, tx: ReadingTransaction, _principal: Principal, body: HistoryPage) -> History:
        """A player's actions on a board, the newest first; where a page ended, the next begins `before` its last.

        Raises `PlayerNotFound`, `BoardNotFound`, and `InvalidInput` where `before` is no action of his.
        """
        await must_find_board(tx, body.board)
        if await queries.find_name(tx, body.user_id) is None:
            raise PlayerNotFound
        if body.before is not None and not await queries.is_in_history(tx, body.user_id, body.before):
            raise InvalidInput(reason="before: must be an action of this player")
        actions = await queries.list_history(tx, body.user_id, body.board, body.before, body.limit)
        return History(user_id=body.user_id, board=body.board, actions=actions)

    async def board(self, transactions: Transactions, name: str) -> Board:
        """A board, as it was a minute ago at most. Raises `BoardNotFound`."""
        found = await self.cache.through(
            BOARDS, name, lambda: transactions.reading(lambda tx: queries.find_board(tx, name))
        )
        if found is None:
            raise BoardNotFound(board=name)
        return found

    async def top(self, transactions: Transactions, board: Board) -> bytes:
        """The first ten places in JSON, as every watcher is told them: from memory, from Redis, from the rows."""
        name = TopOf(board.name, board.season).name
        found = await self.cache.through(TOPS, name, lambda: self.load_top(transactions, board))
        return found or b""

    async def score(self, transactions: Transactions, whose: ScoreOf) -> KnownScore | None:
        """A player's score on a board, 0 where he has none; None where there is no such player."""

        async def load() -> KnownScore | None:
            return (await self.load_scores(transactions, [whose])).get(whose)

        return await self.cache.through(SCORES, whose.name, load)

    async def load_scores(self, transactions: Transactions, asked: Sequence[ScoreOf]) -> dict[ScoreOf, KnownScore]:
        """The same of many from the rows, as they are now."""
        return await transactions.reading(lambda tx: queries.find_scores(tx, asked))

    async def load_top(self, transactions: Transactions, board: Board) -> bytes:
        """The same from the rows, as they are now."""
        listed = await transactions.reading(lambda tx: queries.list_top(tx, board, TOP))
        total = await self.ranks.count(board.name, board.season)
        return msgspec.json.encode(_scoreboard([place for place, _ in listed], total))

    async def forget_player(self, told: RemovedUser) -> None:
        """Where he was removed: nobody finds his scores, or him among the first places."""
        seasons = await self.ranks.remove_player(told.user_id)
        scores = [SCORES.key(ScoreOf(live.board, live.season, told.user_id).name) for live in seasons]
        await self.cache.forget(scores + [TOPS.key(TopOf(live.board, live.season).name) for live in seasons])

    async def forget_tops(self, transactions: Transactions) -> None:
        """Whoever loaded first places while the ranks were behind counted too few or too many players."""
        boards = await transactions.reading(queries.list_boards)
        await self.forget_tops_of([TopOf(board.name, board.season) for board in boards])

    async def forget_tops_of(self, tops: Sequence[TopOf]) -> None:
        """The same of some boards."""
        await self.cache.forget([TOPS.key(top.name) for top in tops])

    async def forget_board(self, _told: BoardRemoved) -> None:
        """Where a board was removed: nobody finds its scores on another that is opened under its name."""
        await self.cache.clear((SCORES,))

    async def _named(
        self, transactions: Transactions, board: Board, season: int, listed: Sequence[Standing]
    ) -> Scoreboard:
        users = [one.user_id for one in listed]
        names = await transactions.reading(lambda tx: queries.find_names(tx, users)) if users else {}
        places = [
            Place(
                rank=one.rank,
                user_id=one.user_id,
                username=names[one.user_id],
                score=one.score,
                last_updated=moment(one.reached_at),
            )
            for one in listed
            if one.user_id in names
        ]
        return _scoreboard(places, await self.ranks.count(board.name, season))


def _scoreboard(places: Sequence[Place], total: int) -> Scoreboard:
    newest = max((place.last_updated for place in places), default=None)
    return Scoreboard(scoreboard=tuple(places), total_users=total, last_updated=newest)
