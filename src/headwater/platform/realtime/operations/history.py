"""What is done with messages of the past."""

from dataclasses import dataclass
from datetime import timedelta

from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.errors import InvalidInput
from headwater.kernel.jobs import JobRun
from headwater.kernel.models import AuditEntry, JobCall
from headwater.kernel.principal import Principal
from headwater.platform.realtime import queries, rules
from headwater.platform.realtime.models import (
    KeptMessage,
    MessageStats,
    OldMessages,
    RealtimeConfig,
    RealtimeConfigChange,
    RealtimeSettings,
    RemovedMessages,
    WantedMessages,
    WantedStats,
)
from headwater.platform.realtime.webhooks import WebhookSecret

REMOVE_OLD = "realtime.remove_old_messages"
_AT_ONCE = 5000
_UNCHANGED = timedelta(days=1)


@dataclass(frozen=True)
class History:
    """The verbs of whoever looks back, and of the clock.

    Places and offsets stay where they are whatever is removed: a client that asks for more than is kept is told so.
    """

    settings: RealtimeSettings
    webhook_secret: WebhookSecret

    async def list_messages(
        self, tx: ReadingTransaction, _principal: Principal, body: WantedMessages
    ) -> list[KeptMessage]:
        """Messages of every channel or of one, newest first."""
        return await queries.list_history(tx, body)

    async def count_messages(self, tx: ReadingTransaction, _principal: Principal, body: WantedStats) -> MessageStats:
        """How many messages there are, and how many calls of webhooks came through. Raises `InvalidInput`."""
        since = None
        if body.since is not None:
            since = rules.read_moment(body.since)
            if since is None:
                raise InvalidInput(reason="since: Invalid date")
        return await queries.count_messages(tx, body.channel_id, since)

    async def remove_messages(self, transactions: Transactions, _principal: Principal, _body: None) -> RemovedMessages:
        """Remove every message that has its place by now, in steps that nobody has to wait for."""
        until = (await transactions.reading(queries.find_head)).place
        deleted = 0
        while removed := await transactions.writing(lambda tx: queries.remove_placed(tx, until, _AT_ONCE)):
            deleted += removed
        entry = AuditEntry(action="REALTIME_MESSAGES_REMOVED", module="realtime", details={"deleted": deleted})

        async def note(tx: WritingTransaction) -> None:
            tx.audit(entry)

        await transactions.writing(note)
        return RemovedMessages(deleted=deleted)

    async def show_config(self, transactions: Transactions, _principal: Principal, _body: None) -> RealtimeConfig:
        """How long messages are kept, and the secret of webhooks."""
        days = await transactions.reading(queries.find_retention)
        return RealtimeConfig(retention_days=days, webhook_secret=await self.webhook_secret.read(transactions))

    async def change_config(
        self, transactions: Transactions, principal: Principal, body: RealtimeConfigChange
    ) -> RealtimeConfig:
        """Keep messages for so many days, or for ever; what is older goes within the hour."""

        async def change(tx: WritingTransaction) -> None:
            await queries.put_retention(tx, body.retention_days)
            details = {"retentionDays": body.retention_days}
            tx.audit(AuditEntry(action="REALTIME_CONFIG_CHANGED", module="realtime", details=details))

        await transactions.writing(change)
        return await self.show_config(transactions, principal, None)

    async def call_for_removal(self, tx: WritingTransaction) -> None:
        """Let old messages be removed, if there is an age from which they are."""
        if await queries.find_retention(tx) is not None:
            tx.enqueue(JobCall(job=REMOVE_OLD, arguments=OldMessages()))

    async def remove_old_messages(self, transactions: Transactions, _run: JobRun) -> None:
        """Remove what is older than messages are kept, in steps that nobody has to wait for."""

        async def remove(tx: WritingTransaction) -> int:
            days = await queries.find_retention(tx)
            return 0 if days is None else await queries.remove_old(tx, tx.now - timedelta(days=days), _AT_ONCE)

        while await transactions.writing(remove) == _AT_ONCE:
            continue

    async def remove_sessions(self, tx: WritingTransaction) -> None:
        """Forget what clients listened to that will not come back."""
        left_before = tx.now - timedelta(seconds=self.settings.session_seconds)
        await queries.remove_sessions(tx, left_before, tx.now - _UNCHANGED)
