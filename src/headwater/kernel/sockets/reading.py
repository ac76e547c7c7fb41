"""Socket.IO packets as clients send them (Socket.IO protocol 5)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import cast

import msgspec

from headwater.kernel.sockets.errors import MalformedMessage

RESERVED = frozenset({"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"})
"""Names of events that are nobody's to send: a client of Socket.IO that gets one takes the connection for broken."""
_MOST_ATTACHMENTS = 16
_LONGEST_ID = 15
_ROOT = "/"


class Kind(StrEnum):
    """What a packet is, by its first character."""

    CONNECT = "0"
    DISCONNECT = "1"
    EVENT = "2"
    ACK = "3"
    CONNECT_ERROR = "4"
    BINARY_EVENT = "5"
    BINARY_ACK = "6"


class ClientPacket(msgspec.Struct, frozen=True):
    """A packet of a client; `attachments` is how many binary messages must follow it."""

    kind: Kind
    namespace: str = _ROOT
    id: int | None = None
    content: object = None
    attachments: int = 0
    may_hold_nul: bool = False

    @property
    def is_in_root(self) -> bool:
        """Whether it belongs to the one namespace that there is."""
        return self.namespace == _ROOT

    def arguments(self, attachments: Sequence[bytes] = ()) -> list[object]:
        """An event's or an acknowledgement's list, each placeholder replaced; raises `MalformedMessage`."""
        content = cast("list[object]", self.content)
        return [_filled(each, attachments) for each in content] if self.attachments else content


def read_packet(text: str) -> ClientPacket:
    """A packet from its text, without Engine.IO's first character; raises `MalformedMessage`."""
    try:
        kind = Kind(text[:1])
    except ValueError as failure:
        raise MalformedMessage(reason="No such kind of packet") from failure
    at, attachments = 1, 0
    if kind in (Kind.BINARY_EVENT, Kind.BINARY_ACK):
        number, dash, _ = text[at : at + 4].partition("-")
        if not dash or not _is_number(number) or int(number) > _MOST_ATTACHMENTS:
            raise MalformedMessage(reason="A binary packet says how many attachments follow it")
        at, attachments = at + len(number) + 1, int(number)
    namespace = _ROOT
    if text[at : at + 1] == _ROOT:
        namespace, _, rest = text[at:].partition(",")
        at = len(text) - len(rest)
        namespace = namespace.partition("?")[0]
    digits = at
    while text[digits : digits + 1].isdecimal() and digits - at <= _LONGEST_ID:
        digits += 1
    number = text[at:digits]
    if number and (not _is_number(number) or len(number) > _LONGEST_ID):
        raise MalformedMessage(reason="No such number of a packet")
    content = _decoded(text[digits:]) if len(text) > digits else None
    _must_fit(kind, content, numbered=bool(number))
    nul = may_hold_nul(text)
    return ClientPacket(kind, namespace, int(number) if number else None, content, attachments, nul)


def may_hold_nul(text: str) -> bool:
    """Whether a text of what is JSON holds a NUL character; a backslash before `u0000` makes it none after all."""
    return "\\" in text and "\\u0000" in text  # one character is looked for ten times as quickly as six


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _decoded(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError) as failure:
        raise MalformedMessage(reason="The packet is not JSON") from failure
    except RecursionError as failure:
        raise MalformedMessage(reason="The packet is nested too deeply") from failure


def _must_fit(kind: Kind, content: object, *, numbered: bool) -> None:
    match kind:
        case Kind.CONNECT:
            fits = content is None or isinstance(content, dict)
        case Kind.DISCONNECT:
            fits = content is None
        case Kind.CONNECT_ERROR:
            fits = False
        case Kind.EVENT | Kind.BINARY_EVENT:
            names = cast("list[object]", content)[:1] if isinstance(content, list) else []
            fits = bool(names) and isinstance(names[0], str) and names[0] not in RESERVED
        case Kind.ACK | Kind.BINARY_ACK:
            fits = numbered and isinstance(content, list)
    if not fits:
        raise MalformedMessage(reason=f"No content of a packet of the kind {kind.name}")


def _filled(value: object, attachments: Sequence[bytes]) -> object:
    if isinstance(value, list):
        return [_filled(each, attachments) for each in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, object]", value)
    if fields.get("_placeholder") is not True:
        return {name: _filled(each, attachments) for name, each in fields.items()}
    number = fields.get("num")
    if type(number) is not int or not 0 <= number < len(attachments):
        raise MalformedMessage(reason="A placeholder without its attachment")
    return attachments[number]
