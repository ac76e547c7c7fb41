"""A message as its listeners see it (contracts/platform.md 1.6)."""

from datetime import datetime

import msgspec

from headwater.kernel.clock import moment
from headwater.kernel.sockets import Packet
from headwater.platform.realtime.models import LoggedMessage, NewMessage

ROOM_PREFIX = "realtime:"
_encode = msgspec.json.Encoder().encode


class Meta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What stands beside a message's own fields."""

    channel: str
    message_id: str
    sender_type: str
    timestamp: str
    sender_id: str | None = None
    offset: int | None = None
    epoch: str | None = None
    replayed: bool = False


def room_of(channel: str) -> str:
    """The room of everybody who hears a channel; in a message's `meta.channel` too, as the original has it."""
    return ROOM_PREFIX + channel


def packet_of(message: LoggedMessage, *, replayed: bool = False) -> Packet:
    """The event that tells a message.

    Its last argument is a bookmark, which socket.io-client shows again when it comes back (connection state recovery).
    """
    return Packet(message.event, (payload_of(message, message.payload, replayed=replayed), bookmark(message)))


def whisper_of(message: NewMessage, now: datetime) -> Packet:
    """The event that tells a message which is not logged."""
    meta = Meta(
        channel=room_of(message.channel),
        message_id=str(message.id),
        sender_type=message.sender_type,
        sender_id=message.sender_id,
        timestamp=moment(now),
    )
    return Packet(message.event, (with_meta(message.payload, meta),))


def payload_of(message: LoggedMessage, payload: str, *, replayed: bool = False) -> msgspec.Raw:
    """The payload's own fields with `meta` beside them; a field of that name gives way to it."""
    meta = Meta(
        channel=room_of(message.channel),
        message_id=str(message.id),
        sender_type=message.sender_type,
        sender_id=message.sender_id,
        timestamp=moment(message.created_at),
        offset=message.offset,
        epoch=message.epoch,
        replayed=replayed,
    )
    return with_meta(payload, meta)


def with_meta(payload: str, meta: Meta) -> msgspec.Raw:
    """The text of a JSON object with one more field, the last: where two have a name, every reader takes the last."""
    inner = payload.strip()[1:-1]
    comma = b"," if inner.strip() else b""
    return msgspec.Raw(b'{%b%b"meta":%b}' % (inner.encode(), comma, _encode(meta)))


def bookmark(message: LoggedMessage) -> str:
    """Where in the log a client is that has this message: everything before it, it has too."""
    return f"{message.place}.{message.epoch}"


def read_bookmark(text: str) -> tuple[int, str] | None:
    """Place and epoch of a bookmark; None for what is none."""
    place, _, epoch = text.partition(".")
    return (int(place), epoch) if place.isascii() and place.isdigit() and len(place) < 19 and epoch else None
