"""The ranks' own life: loaded at the start, compared by the clock and after a gap."""

from dataclasses import dataclass

from headwater.apps.scoreboard.events import BoardOpened
from headwater.apps.scoreboard.events.ranks import ComparisonAsked
from headwater.apps.scoreboard.queries import ranks as queries
from headwater.apps.scoreboard.ranks import Ranks
from headwater.kernel.database import Transactions, WritingTransaction


@dataclass(frozen=True)
class Ranking:
    """The verbs that keep the ranks true; changes themselves come by `Ranks.apply`."""

    ranks: Ranks

    async def warm(self, transactions: Transactions) -> None:
        """Prepare every board for the first question; comparisons that are asked for run from now on."""
        await self.ranks.prepare(transactions)
        self.ranks.start()

    async def close(self) -> None:
        """Compare nothing more."""
        await self.ranks.stop()

    async def compare_ranks(self, tx: WritingTransaction) -> None:
        """Ask every node to compare what it holds with the rows; for a timer."""
        for live in await queries.list_live_seasons(tx):
            tx.emit(ComparisonAsked(board=live.board))

    async def follow_comparison(self, told: ComparisonAsked) -> None:
        """On every node: compare a board soon, and let other events pass meanwhile."""
        self.ranks.compare_soon(told.board)

    async def follow_opening(self, told: BoardOpened) -> None:
        """On every node: hold a new board."""
        self.ranks.compare_soon(told.board)
