"""Messages of the past, how many there are, and how long they are kept."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from headwater.platform.realtime.models.messages import SenderType


class KeptMessage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A row of `realtime.messages`, with how many it was told to and how many webhooks took it."""

    id: UUID
    event_name: str
    channel_id: UUID | None
    channel_name: str
    payload: msgspec.Raw
    sender_type: SenderType
    sender_id: str | None
    ws_audience_count: int
    wh_audience_count: int
    wh_delivered_count: int
    created_at: datetime


class WantedMessages(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which messages are to be listed."""

    channel_id: UUID | None = None
    event_name: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    offset: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0


class RemovedMessages(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages are gone."""

    deleted: int


class WantedStats(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which messages are to be counted; `since` is a date, or a date and time, by ISO 8601."""

    channel_id: UUID | None = None
    since: str | None = None


class CountedEvent(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How many messages have this name."""

    event_name: str
    count: int


class MessageStats(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What there is; `wh_delivery_rate` is the part of all calls of webhooks that were taken, 0 if there were none."""

    total_messages: int
    wh_delivery_rate: float
    top_events: tuple[CountedEvent, ...]
    retention_days: int | None


class RealtimeConfig(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How long messages are kept (None: for ever), and the secret under which webhooks are signed."""

    retention_days: int | None
    webhook_secret: str


class RealtimeConfigChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How long messages are to be kept."""

    retention_days: Annotated[int, msgspec.Meta(ge=1, le=36500)] | None


class OldMessages(msgspec.Struct, frozen=True, kw_only=True):
    """The messages that are older than they are kept, whenever that is looked at."""


class WebhookCall(msgspec.Struct, frozen=True, kw_only=True):
    """A message is to be sent to a URL."""

    message: UUID
    url: str


class WebhookLetter(msgspec.Struct, frozen=True, kw_only=True):
    """What a webhook is sent of a message; `payload` is the text of a JSON object."""

    channel: str
    event: str
    payload: str
