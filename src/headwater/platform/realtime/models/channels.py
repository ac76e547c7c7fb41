"""Channels, and what is asked of them."""

from typing import Annotated
from uuid import UUID

import msgspec

from headwater.kernel.sockets import Socket

COMPLAINT = "realtime:error"
"""The event by which a client hears of a refusal that answers nothing."""
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
EventName = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class OpenChannel(msgspec.Struct, frozen=True, kw_only=True):
    """An enabled channel; its pattern stands for one name or for many."""

    id: UUID
    pattern: str
    webhook_urls: tuple[str, ...]


class ReservedChannel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel, or many, on which the house alone publishes; `for_admins`: nobody else hears it either."""

    pattern: str
    for_admins: bool = False


class Since(msgspec.Struct, frozen=True, kw_only=True):
    """How far a client had come when it was cut off: the offset of the last message it has."""

    offset: Annotated[int, msgspec.Meta(ge=0)]
    epoch: str


class ChannelOf(msgspec.Struct, frozen=True, kw_only=True):
    """A channel, as a socket names it."""

    channel: Name
    socket: Socket


class SubscribeTo(msgspec.Struct, frozen=True, kw_only=True):
    """A socket wants to hear a channel: from now on, or everything since."""

    channel: Name
    socket: Socket
    since: Since | None = None


class Member(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Somebody who hears a channel, with however many sockets; `state` is what he says of himself."""

    type: str
    presence_id: str
    joined_at: str
    state: dict[str, object] | msgspec.UnsetType = msgspec.UNSET


class Saying(msgspec.Struct, frozen=True, kw_only=True):
    """What a member says of himself to those who hear a channel with him."""

    channel: Name
    state: dict[str, object]
    socket: Socket


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody who hears a channel."""

    members: list[Member]


class Subscribed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A subscription that holds; `offset` is the newest message's, 0 if there is none.

    `recovered` answers whoever said since when: whether he now gets everything he has missed.
    """

    ok: bool
    channel: str
    presence: Presence
    offset: int
    epoch: str
    recovered: bool | None = None


class PublishTo(msgspec.Struct, frozen=True, kw_only=True):
    """A socket publishes; an `ephemeral` message reaches who listens now, and is not logged."""

    channel: Name
    event: EventName
    socket: Socket
    payload: dict[str, object] = {}
    ephemeral: bool = False


class PublishedTo(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What became of a message: `offset` and `epoch` unless it was ephemeral."""

    ok: bool
    message_id: UUID
    offset: int | None = None
    epoch: str | None = None


class MessageToPublish(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A message by REST; `id` is the channel's id or its name, and `channel` the name where the id stands for many."""

    id: str
    event_name: EventName
    payload: dict[str, object] = {}
    channel: Name | None = None


class PlacedMessage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A message that was logged."""

    message_id: UUID
    offset: int
