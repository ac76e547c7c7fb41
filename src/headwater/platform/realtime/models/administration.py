"""What the admin says of channels, and is told of them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

Description = Annotated[str, msgspec.Meta(max_length=2000)]
Urls = Annotated[tuple[Annotated[str, msgspec.Meta(max_length=2000)], ...], msgspec.Meta(max_length=20)]


class Channel(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A row of `realtime.channels`; its pattern stands for one name or for many."""

    id: UUID
    pattern: str
    description: str | None
    webhook_urls: tuple[str, ...]
    enabled: bool
    created_at: datetime
    updated_at: datetime | None


class ChannelId(msgspec.Struct, frozen=True, kw_only=True):
    """Which channel is meant."""

    id: UUID


class NewChannel(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A channel to be; every message on it is sent to the webhooks too."""

    pattern: str
    description: Description | None = None
    webhook_urls: Urls | None = None
    enabled: bool = True


class ChannelChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is to be otherwise; what is not told stays."""

    id: UUID
    pattern: str | msgspec.UnsetType = msgspec.UNSET
    description: Description | msgspec.UnsetType | None = msgspec.UNSET
    webhook_urls: Urls | msgspec.UnsetType | None = msgspec.UNSET
    enabled: bool | msgspec.UnsetType = msgspec.UNSET


class ChannelRemoved(msgspec.Struct, frozen=True, kw_only=True):
    """That a channel is gone, in the contract's words."""

    message: str = "Channel deleted"


class ChannelPolicy(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A policy of row-level security, in Postgres' own words."""

    policy_name: str
    table_name: str
    command: str
    roles: tuple[str, ...]
    using: str | None
    with_check: str | None


class Policies(msgspec.Struct, frozen=True, kw_only=True):
    """The policies of one table, by name."""

    policies: tuple[ChannelPolicy, ...]


class Permissions(msgspec.Struct, frozen=True, kw_only=True):
    """Who may hear channels, and who may publish there: policies of `realtime.channels` and `realtime.messages`."""

    subscribe: Policies
    publish: Policies


class RealtimeContents(msgspec.Struct, frozen=True, kw_only=True):
    """All that the admin has said about realtime."""

    channels: tuple[Channel, ...]
    permissions: Permissions
