"""What other parts make of a score that changed, each in its own time and each exactly once in the rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from headwater.apps.scoreboard import queries
from headwater.apps.scoreboard.events import LeadChanged, ScoreChanged
from headwater.kernel.database import Transactions, WritingTransaction
from headwater.kernel.events import ToldEvent
from headwater.platform.notifications import Inbox, NewNotice
from headwater.platform.realtime import Publishing

CHANNELS = "scoreboard:%"


@dataclass(frozen=True)
class Reactions:
    """The verbs of the consumers of `ScoreChanged`; one that was down goes on where it stopped."""

    publishing: Publishing
    inbox: Inbox

    async def warm(self, transactions: Transactions) -> None:
        """Let there be a channel for each board: realtime clients subscribe to it, and so do webhooks."""
        await self.publishing.reserve_channel(transactions, CHANNELS, "Scores of a board as they change")

    async def count_hour(self, tx: WritingTransaction, events: Sequence[ToldEvent]) -> None:
        """Add the points to the hours of their boards."""
        told = [(cast(ScoreChanged, event.payload), event.at) for event in events]
        await queries.add_to_hours(tx, [(each.board, at, each.points) for each, at in told if each.points != 0])

    async def tell_channel(self, tx: WritingTransaction, events: Sequence[ToldEvent]) -> None:
        """Log the changes on their boards' channels, for whoever must miss none: subscribers with a place, webhooks."""
        told = [cast(ScoreChanged, event.payload) for event in events]
        shown = [(f"scoreboard:{each.board}", each) for each in told if not each.hidden]
        await self.publishing.announce_all(tx, "score_changed", shown)

    async def follow_lead(self, tx: WritingTransaction, events: Sequence[ToldEvent]) -> None:
        """Tell who leads a board now, and who no longer does; the first of a season is told too.

        Whoever led only between two of the events is not told: he does not lead any more.
        """
        newest: dict[str, tuple[ScoreChanged, ToldEvent]] = {}
        for event in events:
            told = cast(ScoreChanged, event.payload)
            if told.board not in newest or told.season >= newest[told.board][0].season:
                newest[told.board] = told, event
        for _, (told, event) in sorted(newest.items(), key=lambda item: item[0]):
            await self._follow_lead(tx, told, event)

    async def _follow_lead(self, tx: WritingTransaction, told: ScoreChanged, event: ToldEvent) -> None:
        known = await queries.lock_leader(tx, told.board)
        if known is not None and known[0] > told.season:
            return
        leader = await queries.find_leader(tx, told.board, told.season)
        if leader is None or known == (told.season, leader):
            return
        await queries.put_leader(tx, told.board, told.season, leader)
        before = known[1] if known is not None and known[0] == told.season else None
        name = await queries.find_name(tx, leader) or ""
        tx.emit(LeadChanged(board=told.board, season=told.season, user_id=leader, username=name, before=before))
        await self._notify(tx, leader, told.board, "lead_won", "You lead the board", event)
        if before is not None:
            await self._notify(tx, before, told.board, "lead_lost", f"{name} leads the board now", event)

    async def _notify(
        self, tx: WritingTransaction, user_id: UUID, board: str, kind: str, title: str, event: ToldEvent
    ) -> None:
        source = f"scoreboard:{kind}:{event.position}"
        details = {"board": board}
        await self.inbox.add_notice(
            tx, NewNotice(user_id=user_id, kind=f"scoreboard.{kind}", title=title, details=details, source=source)
        )
