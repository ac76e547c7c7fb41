"""The ranks of the seasons that run: held here or in Redis, counted in SQL where they are not."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime
from uuid import UUID

from headwater.apps.scoreboard.models.ranks import Change, Comparison, LiveSeason, RanksCompared, Standing
from headwater.apps.scoreboard.queries import ranks as queries
from headwater.apps.scoreboard.ranks.entry import EPOCH
from headwater.apps.scoreboard.ranks.held import Held, NotHeld, Rows
from headwater.apps.scoreboard.ranks.memory import MemoryRanks
from headwater.apps.scoreboard.ranks.shared import SharedRanks
from headwater.kernel.bus import Rounds
from headwater.kernel.database import Database, ReadingTransaction, Transactions
from headwater.kernel.observe import Observer
from headwater.kernel.redis import Redis, RedisUnavailable, ResponseError

_LAST_REVISION = 2**53
"""Greater than any of the rows', and whole in a double."""
_ATTEMPTS = 5
"""At a comparison in which the season ends each time; then the rows are asked until the next comparison."""


class Ranks:
    """Who stands where: exact, whatever the number of players.

    The seasons that run are held in an index of this process or, where there is a Redis, in a sorted set that all
    share; archives, and what is not held ready just now, are counted in SQL, which takes longer and says the same.
    So the questions may take a connection: ask them while none is held.
    """

    def __init__(self, database: Database, observer: Observer, redis: Redis | None) -> None:
        self._database = database
        self._observer = observer
        self._held: Held = MemoryRanks() if redis is None else SharedRanks(redis, self.compare_soon)
        self._turn = asyncio.Lock()
        self._asked: dict[str, None] = {}
        self._rounds = Rounds("ranks", observer, self._compare_asked)
        if redis is not None:
            redis.on_return(self._heal)

    async def apply(self, change: Change) -> None:
        """Take in what was committed: changes may come twice, late and in any order."""
        await self._held.apply(change)

    async def begin_season(self, board: str, season: int) -> None:
        """From now on the board has no entries but those of this season."""
        await self._held.begin_season(board, season)

    async def drop(self, board: str) -> None:
        """Hold a board that is gone no longer."""
        await self._held.drop(board)

    async def remove_player(self, user_id: UUID) -> list[LiveSeason]:
        """Let a player who is gone for good be on no board, whatever is still told of him; the boards that are."""
        seasons = await self._database.reading(queries.list_live_seasons)
        for live in seasons:
            await self._held.apply(Change(live.board, live.season, user_id, None, 0, EPOCH, _LAST_REVISION))
        return seasons

    async def rank(self, board: str, season: int, user_id: UUID) -> int | None:
        """A player's rank, from 1; None where he is hidden or has no score."""
        try:
            return await self._held.rank(board, season, user_id)
        except NotHeld:
            return await self._database.single(lambda tx: queries.find_rank(tx, board, season, user_id))

    async def rank_with(self, board: str, season: int, user_id: UUID, standing: int, reached_at: datetime) -> int:
        """The rank a player would have with that, his present entry not counted."""
        try:
            return await self._held.rank_with(board, season, user_id, standing, reached_at)
        except NotHeld:
            return await self._database.single(
                lambda tx: queries.find_rank_with(tx, board, season, user_id, standing, reached_at)
            )

    async def count(self, board: str, season: int) -> int:
        """How many have a rank."""
        try:
            return await self._held.count(board, season)
        except NotHeld:
            return await self._database.single(lambda tx: queries.count_ranked(tx, board, season))

    async def page(self, board: str, season: int, offset: int, limit: int) -> list[Standing]:
        """At most `limit` entries after the first `offset`, in order."""
        try:
            return await self._held.page(board, season, offset, limit)
        except NotHeld:
            return await self._database.single(lambda tx: queries.list_page(tx, board, season, offset, limit))

    async def around(self, board: str, season: int, user_id: UUID, above: int, below: int) -> list[Standing]:
        """A player's entry with so many beside it, as far as there are; none where he has no rank."""
        try:
            return await self._held.around(board, season, user_id, above, below)
        except NotHeld:
            return await self._database.reading(
                lambda tx: queries.list_around(tx, board, season, user_id, above, below)
            )

    async def prepare(self, transactions: Transactions) -> None:
        """Before the first question: an index here is loaded now, one in Redis behind everything else, if at all.

        Another node may have built that, and it takes longer; the rows answer until it is ready.
        """
        if isinstance(self._held, MemoryRanks):
            await self.load(transactions)
            return
        for live in await transactions.reading(queries.list_live_seasons):
            self.compare_soon(live.board)

    async def load(self, transactions: Transactions) -> None:
        """Hold every board in the season that runs, and mend what differs from the rows."""
        for live in await transactions.reading(queries.list_live_seasons):
            await self.reconcile(transactions, live.board)

    async def reconcile(self, transactions: Transactions, board: str) -> Comparison:
        """Compare the board's running season with its rows and mend it, or hold it from now on.

        One board at a time; questions and changes go on meanwhile. Where Redis is away there is nothing to compare.
        """
        async with self._turn:
            for _ in range(_ATTEMPTS):
                live = await transactions.reading(lambda tx: queries.find_live_season(tx, board))
                if live is None:
                    break
                try:
                    comparison = await self._held.reconcile(_rows(transactions, live))
                except (RedisUnavailable, ResponseError):
                    return Comparison(board=board, season=live.season, complete=False)
                if comparison is None:
                    continue
                if comparison.complete:
                    self._observer.tell(RanksCompared(board, comparison.entries, comparison.differences))
                return comparison
            await self._held.drop(board)
            return Comparison(board=board, season=0, complete=False)

    def compare_soon(self, board: str) -> None:
        """Let `reconcile` run for a board behind everything else; once, however often that is asked meanwhile."""
        self._asked[board] = None
        self._rounds.ring()

    def start(self) -> None:
        """Run from now on the comparisons that are asked for."""
        self._rounds.start()

    async def stop(self) -> None:
        """Run no more of them."""
        await self._rounds.stop()

    async def _compare_asked(self) -> None:
        while self._asked:
            board = next(iter(self._asked))
            del self._asked[board]
            await self.reconcile(Transactions(self._database), board)

    async def _heal(self) -> None:
        """After Redis was away: tell it what it missed, and compare."""
        await self.load(Transactions(self._database))


def _rows(transactions: Transactions, live: LiveSeason) -> Rows:
    def work(tx: ReadingTransaction) -> AsyncGenerator[list[bytes]]:
        return queries.stream_entries(tx, live.board, live.season)

    return Rows(live, lambda: transactions.stream(work))
