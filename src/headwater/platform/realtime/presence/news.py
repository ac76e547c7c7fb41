"""What nodes tell each other of who is there."""

import msgspec

from headwater.platform.realtime.models import Member

TOPIC = "realtime.presence"


class Here(msgspec.Struct, frozen=True, array_like=True):
    """A member, and the channel he hears."""

    channel: str
    member: Member


class Entered(msgspec.Struct, frozen=True, array_like=True, tag="entered"):
    """Somebody hears a channel with his first socket of a node, or says something new of himself."""

    node: str
    here: Here


class Left(msgspec.Struct, frozen=True, array_like=True, tag="left"):
    """Somebody hears a channel no more, with no socket of a node."""

    node: str
    channel: str
    presence_id: str


class Asked(msgspec.Struct, frozen=True, array_like=True, tag="asked"):
    """A node wants to know who is there."""

    node: str


class Present(msgspec.Struct, frozen=True, array_like=True, tag="present"):
    """A part of everybody who is there at a node; what came with another `number` before is no longer so."""

    node: str
    number: int
    part: int
    parts: int
    everybody: tuple[Here, ...]


News = Entered | Left | Asked | Present
_decode = msgspec.json.Decoder(News).decode
_encode = msgspec.json.Encoder().encode


def read(message: bytes) -> News:
    """What a node has told."""
    return _decode(message)


def write(news: News) -> bytes:
    """What tells it."""
    return _encode(news)
