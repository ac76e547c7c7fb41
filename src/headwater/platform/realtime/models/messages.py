"""Messages on their way: asked for, logged, placed."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

SenderType = Literal["user", "system"]


class NewMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message to be logged; `payload` is the text of a JSON object."""

    id: UUID
    channel: str
    channel_id: UUID
    event: str
    payload: str
    sender_type: SenderType
    sender_id: str | None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a message stands: `place` in the log, `offset` in its channel; both count from 1, within an epoch."""

    place: int
    offset: int
    epoch: str


class LoggedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A committed message in its place; `payload` is the text of a JSON object."""

    id: UUID
    channel: str
    channel_id: UUID | None
    place: int
    offset: int
    epoch: str
    event: str
    payload: str
    sender_type: SenderType
    sender_id: str | None
    created_at: datetime


class LogPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the log, in which nothing is left out up to the place `reached`.

    `pruned` is the highest place of which the message is no longer kept: where the page begins before it, some may be
    missing here.
    """

    messages: list[LoggedMessage]
    reached: int
    pruned: int


class RealtimeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_REALTIME_*: channels, messages and who hears them."""

    payload_bytes: int = 65536
    """Of one message."""
    whisper_bytes: int = 4000
    """Of one ephemeral message: between nodes it must fit into a NOTIFY, with its names and what stands beside it."""
    state_bytes: int = 2000
    """Of what a member says of himself."""
    channels_per_socket: int = 100
    replay_page: int = 500
    """Messages read at a time for a client that comes back."""
    session_seconds: float = 300.0
    """So long a client that was cut off may come back and go on where it was."""
    recheck_seconds: float = 5.0
    """At most so long does somebody hear a channel whose policies no longer allow it."""
    judging_seconds: float = 2.0
    """After that a policy on row changes is taken to fail, and who waits for it is cut off."""
