"""What is known of the scoreboard's cache, and what can be done with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from headwater.apps.scoreboard import queries
from headwater.apps.scoreboard.models.boards import Board
from headwater.apps.scoreboard.models.cache_figures import CacheClearance, CacheStats, CacheWarmth
from headwater.apps.scoreboard.models.caching import BOARDS, FAMILIES, TOPS, TopOf
from headwater.apps.scoreboard.operations import cache_figures as told
from headwater.apps.scoreboard.operations.standings import Standings
from headwater.kernel.cache import Cache, CacheMonitor, Warmer
from headwater.kernel.database import Transactions
from headwater.kernel.principal import Principal

_OURS = frozenset(family.name for family in FAMILIES)
_MOST_BOARDS = 50


@dataclass(frozen=True)
class Caching:
    """The verbs of the cache, for the admin; what is loaded ahead of the boards."""

    cache: Cache
    monitor: CacheMonitor
    warmer: Warmer
    standings: Standings

    async def show_stats(self, _transactions: Transactions, _principal: Principal, _body: None) -> CacheStats:
        """What the process that answers has counted and measured, and what lies in Redis now."""
        figures = await self.cache.describe()
        own = [each for each in figures.families if each.family in _OURS]
        last = self.warmer.last
        return CacheStats(
            redis=told.redis_stats(figures, own),
            memory=told.memory_stats(figures, own),
            performance=told.performance(each for each in self.cache.counts if each.family in _OURS),
            families=tuple(map(told.family_stats, own)),
            alerts=tuple(map(told.told_alert, self.monitor.alerts)),
            reactions=tuple(map(told.told_reaction, self.monitor.reactions)),
            last_warming=None if last is None else told.told_warming(last),
        )

    async def warm_cache(self, _transactions: Transactions, _principal: Principal, _body: None) -> CacheWarmth:
        """Load ahead what is asked for most, now."""
        warmed = await self.warmer.warm()
        failed = tuple(part.name for part in warmed.parts if part.reason is not None)
        return CacheWarmth(
            message="Cache warmed but for some parts" if failed else "Cache warmed",
            items_cached=warmed.items,
            duration=warmed.seconds * 1000,
            failed=failed,
        )

    async def clear_cache(self, _transactions: Transactions, _principal: Principal, _body: None) -> CacheClearance:
        """Forget what is remembered for this app, on every node and in Redis, and nothing else."""
        return CacheClearance(message="Cache cleared", keys_deleted=await self.cache.clear(FAMILIES))

    async def warm_boards(self, transactions: Transactions) -> int:
        """Load ahead the first places of every board, of fifty at most, and the boards; how many values."""

        async def list_boards(_names: Sequence[str] = ()) -> dict[str, Board]:
            listed = await transactions.reading(queries.list_boards)
            return {board.name: board for board in listed[:_MOST_BOARDS]}

        async def load_tops(names: Sequence[str]) -> dict[str, bytes]:
            return {name: await self.standings.load_top(transactions, boards[name]) for name in names}

        boards = {TopOf(board.name, board.season).name: board for board in (await list_boards()).values()}
        tops = await self.cache.refresh(TOPS, list(boards), load_tops)
        return tops + await self.cache.refresh(BOARDS, [board.name for board in boards.values()], list_boards)
