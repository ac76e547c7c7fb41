"""Keeps durable events: as rows of the transaction that emits them."""

from headwater.kernel.database import WritingTransaction
from headwater.kernel.events import queries


class EventRecorder:
    """Writes the durable events of a transaction to the outbox; satisfies `kernel.database.Recorder`."""

    async def record(self, tx: WritingTransaction) -> None:
        """Write the durable ones of `tx.effects.events`, in their order."""
        if durable := [event for event in tx.effects.events if event.durable]:
            await queries.add_events(tx, durable)
