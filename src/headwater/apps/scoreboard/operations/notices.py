"""How admins hear of what looks wrong."""

from dataclasses import dataclass

from headwater.kernel.database import Transactions, WritingTransaction
from headwater.kernel.events import ToldEvent
from headwater.platform.realtime import Publishing

INCIDENTS = "scoreboard:incidents"


@dataclass(frozen=True)
class Notices:
    """The verbs of the consumer of `IncidentOpened`."""

    publishing: Publishing

    async def warm(self, transactions: Transactions) -> None:
        """Let there be a channel that admins alone hear."""
        description = "Actions that look wrong, for admins"
        await self.publishing.reserve_channel(transactions, INCIDENTS, description, for_admins=True)

    async def tell_admins(self, tx: WritingTransaction, event: ToldEvent) -> None:
        """Log an incident on the admins' channel: for who listens now, who comes back, and its webhooks."""
        await self.publishing.announce(tx, INCIDENTS, "incident_opened", event.payload)
