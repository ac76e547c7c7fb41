"""How admins hear of what looks wrong, and players of what becomes of their actions."""

from dataclasses import dataclass
from typing import cast

from headwater.apps.scoreboard.events import IncidentOpened, IncidentReviewed
from headwater.kernel.database import Transactions, WritingTransaction
from headwater.kernel.events import ToldEvent
from headwater.platform.notifications import Inbox, NewNotice
from headwater.platform.realtime import Publishing

INCIDENTS = "scoreboard:incidents"


@dataclass(frozen=True)
class Notices:
    """The verbs of the consumers of `IncidentOpened` and `IncidentReviewed`."""

    publishing: Publishing
    inbox: Inbox

    async def warm(self, transactions: Transactions) -> None:
        """Let there be a channel that admins alone hear."""
        description = "Actions that look wrong, for admins"
        await self.publishing.reserve_channel(transactions, INCIDENTS, description, for_admins=True)

    async def tell_admins(self, tx: WritingTransaction, event: ToldEvent) -> None:
        """Log an incident on the admins' channel: for who listens now, who comes back, and its webhooks."""
        await self.publishing.announce(tx, INCIDENTS, "incident_opened", event.payload)

    async def tell_held_player(self, tx: WritingTransaction, event: ToldEvent) -> None:
        """Tell a player that an action of his is held, once for all that are until somebody has looked.

        What was counted all the same is told to the admins alone.
        """
        opened = cast(IncidentOpened, event.payload)
        if not opened.held:
            return
        await self.inbox.add_notice(
            tx,
            NewNotice(
                user_id=opened.user_id,
                kind="scoreboard.action_held",
                title="An action of yours is held for review",
                body="It does not count until somebody has looked at it. There is nothing that you have to do.",
                details={"board": opened.board},
                source=f"scoreboard:held:{opened.incident_id}",
            ),
        )

    async def tell_reviewed_player(self, tx: WritingTransaction, event: ToldEvent) -> None:
        """Tell a player what was decided about his held actions; nothing where none was held."""
        reviewed = cast(IncidentReviewed, event.payload)
        if reviewed.actions == 0:
            return
        title, body = _decision(reviewed)
        await self.inbox.add_notice(
            tx,
            NewNotice(
                user_id=reviewed.user_id,
                kind=f"scoreboard.action_{'released' if reviewed.released else 'refused'}",
                title=title,
                body=body,
                details={"board": reviewed.board, "actions": reviewed.actions, "points": reviewed.points},
                source=f"scoreboard:reviewed:{reviewed.incident_id}",
            ),
        )


def _decision(reviewed: IncidentReviewed) -> tuple[str, str]:
    """What was decided, in a line and in a sentence."""
    one = reviewed.actions == 1
    if reviewed.released:
        how_many = (
            f"One action with {reviewed.points:,}" if one else f"{reviewed.actions} actions with {reviewed.points:,}"
        )
        return "What was held counts now", f"{how_many} points {'was' if one else 'were'} looked at and released."
    how_many = "One action was" if one else f"{reviewed.actions} actions were"
    return "What was held does not count", f"{how_many} looked at and not accepted."
