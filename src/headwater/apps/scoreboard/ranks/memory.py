"""Ranks in the memory of this process."""

import asyncio
from contextlib import aclosing
from datetime import datetime
from uuid import UUID

from headwater.apps.scoreboard.models.ranks import Change, Comparison, LiveSeason, Standing
from headwater.apps.scoreboard.ranks.entry import packed, unpacked, user_of
from headwater.apps.scoreboard.ranks.held import NotHeld, Rows
from headwater.apps.scoreboard.ranks.index import Differences, Index, shard_of


class _Season:
    """The season that is held of a board; `touched` are the users whose entries changed since a comparison began."""

    def __init__(self, live: LiveSeason, *, ready: bool) -> None:
        self.live = live
        self.index = Index()
        self.ready = ready
        self.touched: set[int] | None = None

    def touch(self, user: int) -> None:
        """What the rows of a comparison under way say of this user may be old."""
        if self.touched is not None:
            self.touched.add(user)


class MemoryRanks:
    """An index for each board; each process has its own, and hears of every change.

    A board is held from the moment its first comparison begins, before the rows are read: so a change that comes
    meanwhile is in the rows, or is taken in, or both. It answers once the comparison is complete.
    """

    def __init__(self) -> None:
        self._seasons: dict[str, _Season] = {}

    async def apply(self, change: Change) -> None:
        """See `Held.apply`."""
        await self.begin_season(change.board, change.season)
        season = self._seasons.get(change.board)
        if season is None or season.live.season != change.season:
            return
        user = change.user_id.int
        if change.score is None:
            changed = season.index.remove(user, change.revision)
        else:
            changed = season.index.put(packed(change.standing, change.reached_at, user, change.revision))
        if changed:
            season.touch(user)

    async def begin_season(self, board: str, season: int) -> None:
        """See `Held.begin_season`."""
        held = self._seasons.get(board)
        if held is not None and held.live.season < season:
            live = LiveSeason(board=board, season=season, ascending=held.live.ascending)
            self._seasons[board] = _Season(live, ready=held.ready)

    async def drop(self, board: str) -> None:
        """See `Held.drop`."""
        self._seasons.pop(board, None)

    async def rank(self, board: str, season: int, user_id: UUID) -> int | None:
        """See `Ranks.rank`."""
        return self._ready(board, season).index.rank(user_id.int)

    async def rank_with(self, board: str, season: int, user_id: UUID, standing: int, reached_at: datetime) -> int:
        """See `Ranks.rank_with`."""
        user = user_id.int
        return self._ready(board, season).index.rank_with(user, packed(standing, reached_at, user, 0))

    async def count(self, board: str, season: int) -> int:
        """See `Ranks.count`."""
        return len(self._ready(board, season).index)

    async def page(self, board: str, season: int, offset: int, limit: int) -> list[Standing]:
        """See `Ranks.page`."""
        return _standings(self._ready(board, season), offset, offset + limit)

    async def around(self, board: str, season: int, user_id: UUID, above: int, below: int) -> list[Standing]:
        """See `Ranks.around`."""
        held = self._ready(board, season)
        rank = held.index.rank(user_id.int)
        return [] if rank is None else _standings(held, max(0, rank - 1 - above), rank + below)

    async def reconcile(self, rows: Rows) -> Comparison | None:
        """See `Held.reconcile`; one at a time for each board. Pauses for others after every thousand entries."""
        live = rows.season
        await self.begin_season(live.board, live.season)
        held = self._seasons.setdefault(live.board, _Season(live, ready=False))
        if held.live.season != live.season:
            return None
        differences, loaded, held.touched = Differences(), not held.ready, set()
        try:
            surplus = await self._compare(held, rows, differences)
        finally:
            held.touched = None
        if surplus is None:
            return None
        held.ready = True
        return Comparison(
            board=live.board,
            season=live.season,
            entries=len(held.index),
            loaded=loaded,
            missing=differences.missing,
            late=differences.late,
            wrong=differences.wrong,
            surplus=surplus,
        )

    async def _compare(self, held: _Season, rows: Rows, differences: Differences) -> int | None:
        """How many entries had no row; None where the season ended meanwhile."""
        unseen: list[set[int]] = []
        for users in held.index.shards():
            unseen.append(users)
            await asyncio.sleep(0)
        async with aclosing(rows.chunks()) as chunks:
            async for chunk in chunks:
                if self._seasons.get(held.live.board) is not held:
                    return None
                entries = [int.from_bytes(told) for told in chunk]
                held.index.take_in(entries, differences)
                _strike(entries, unseen)
        if self._seasons.get(held.live.board) is not held:
            return None
        touched = held.touched or set()
        surplus = 0
        for users in unseen:
            surplus += sum(map(held.index.remove_surplus, users - touched))
        return surplus

    def _ready(self, board: str, season: int) -> _Season:
        """The season, if it is held ready; raises `NotHeld`."""
        held = self._seasons.get(board)
        if held is None or not held.ready or held.live.season != season:
            raise NotHeld
        return held


def _strike(entries: list[int], unseen: list[set[int]]) -> None:
    """Leave only those users of whom no row was seen yet."""
    for entry in entries:
        user = user_of(entry)
        unseen[shard_of(user)].discard(user)


def _standings(held: _Season, start: int, stop: int) -> list[Standing]:
    sign = 1 if held.live.ascending else -1
    found: list[Standing] = []
    for rank, entry in enumerate(held.index.slice(start, stop), start + 1):
        standing, reached_at, user_id = unpacked(entry)
        found.append(Standing(user_id=user_id, score=standing * sign, reached_at=reached_at, rank=rank))
    return found
