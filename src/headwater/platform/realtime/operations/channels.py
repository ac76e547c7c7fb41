"""What the admin does with channels."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import Principal
from headwater.platform.realtime import queries, rules
from headwater.platform.realtime.access import Access
from headwater.platform.realtime.directory import Directory
from headwater.platform.realtime.errors import ChannelNotFound, InvalidChannelRequest, InvalidPattern
from headwater.platform.realtime.models import (
    Channel,
    ChannelChange,
    ChannelId,
    ChannelRemoved,
    NewChannel,
    Permissions,
    Policies,
    RealtimeContents,
)


@dataclass(frozen=True)
class Channels:
    """The verbs of the admin; whoever loses a channel by them has lost it on every live node before they answer."""

    access: Access
    directory: Directory

    async def list_channels(self, tx: ReadingTransaction, _principal: Principal, _body: None) -> list[Channel]:
        """Every channel, newest first."""
        return await queries.list_channels(tx)

    async def find_channel(self, tx: ReadingTransaction, _principal: Principal, body: ChannelId) -> Channel:
        """One channel. Raises `ChannelNotFound`."""
        channel = await queries.find_channel(tx, body.id)
        if channel is None:
            raise ChannelNotFound
        return channel

    async def add_channel(self, transactions: Transactions, _principal: Principal, body: NewChannel) -> Channel:
        """Let a channel be. Raises `InvalidPattern`, `InvalidChannelRequest`, `ChannelExists`."""
        _must_be_pattern(body.pattern)
        urls = _webhooks(body.webhook_urls)

        async def add(tx: WritingTransaction) -> Channel:
            channel = await queries.add_channel(tx, body.pattern, body.description, urls, enabled=body.enabled)
            _audit(tx, "REALTIME_CHANNEL_ADDED", channel)
            return channel

        channel = await transactions.writing(add)
        await self.directory.refresh()
        return channel

    async def update_channel(self, transactions: Transactions, _principal: Principal, body: ChannelChange) -> Channel:
        """Change a channel; one that is disabled is heard by nobody any more.

        Raises `ChannelNotFound`, `InvalidPattern`, `InvalidChannelRequest`, `ChannelExists`.
        """
        changes = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET}
        del changes["id"]
        if body.pattern is not msgspec.UNSET:
            _must_be_pattern(body.pattern)
        if body.webhook_urls is not msgspec.UNSET:
            changes["webhook_urls"] = _webhooks(body.webhook_urls)

        async def update(tx: WritingTransaction) -> Channel:
            channel = await queries.update_channel(tx, body.id, changes)
            if channel is None:
                raise ChannelNotFound
            _audit(tx, "REALTIME_CHANNEL_CHANGED", channel)
            return channel

        channel = await transactions.writing(update)
        await self.access.end_everywhere()
        return channel

    async def remove_channel(
        self, transactions: Transactions, _principal: Principal, body: ChannelId
    ) -> ChannelRemoved:
        """End a channel; its messages stay. Raises `ChannelNotFound`."""

        async def remove(tx: WritingTransaction) -> None:
            pattern = await queries.remove_channel(tx, body.id)
            if pattern is None:
                raise ChannelNotFound
            details = {"channel": body.id, "pattern": pattern}
            tx.audit(AuditEntry(action="REALTIME_CHANNEL_REMOVED", module="realtime", details=details))

        await transactions.writing(remove)
        await self.access.end_everywhere()
        return ChannelRemoved()

    async def list_permissions(self, tx: ReadingTransaction, _principal: Principal, _body: None) -> Permissions:
        """The policies that say who may subscribe and who may publish."""
        return Permissions(
            subscribe=Policies(policies=tuple(await queries.list_policies(tx, "channels"))),
            publish=Policies(policies=tuple(await queries.list_policies(tx, "messages"))),
        )

    async def describe_realtime(self, tx: ReadingTransaction, principal: Principal, body: None) -> RealtimeContents:
        """Every channel, and who may use them."""
        channels = await self.list_channels(tx, principal, body)
        return RealtimeContents(channels=tuple(channels), permissions=await self.list_permissions(tx, principal, body))


def _audit(tx: WritingTransaction, action: str, channel: Channel) -> None:
    details = {"channel": channel.id, "pattern": channel.pattern, "enabled": channel.enabled}
    tx.audit(AuditEntry(action=action, module="realtime", details=details))


def _must_be_pattern(pattern: str) -> None:
    if not pattern:
        raise InvalidChannelRequest(reason="pattern: Channel pattern is required")
    if not rules.is_pattern(pattern):
        raise InvalidPattern
    if rules.tells_a_table(pattern):
        raise InvalidChannelRequest(reason="pattern: channels that begin with 'table:' tell the changes of tables")


def _webhooks(urls: Sequence[str] | None) -> list[str]:
    """The URLs, each once; raises `InvalidChannelRequest` for the first that is none."""
    urls = urls or ()
    place = rules.first_unusable(urls)
    if place is not None:
        raise InvalidChannelRequest(reason=f"webhookUrls.{place}: Invalid url")
    return list(dict.fromkeys(urls))
