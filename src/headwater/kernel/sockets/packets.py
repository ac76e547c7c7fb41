"""Outgoing messages: each wire form is made once, when it is first wanted, however many sockets it goes to."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import cast

import msgspec

from headwater.kernel.sockets.declarations import PlainSocket
from headwater.kernel.sockets.frames import binary_frame, text_frame

SEPARATOR = "\x1e"
_encoder = msgspec.json.Encoder()
_read = msgspec.json.Decoder(list[msgspec.Raw]).decode
_EVENT, _ACK = ("2", "5"), ("3", "6")


class Packet:
    """One message on its way to any number of sockets.

    An event and its arguments, or the acknowledgement `id` of one; a client is to acknowledge an event that has an
    `id`. Arguments are whatever msgspec encodes; `msgspec.Raw` is JSON already. `bytes` in plain lists and dicts
    travel as Socket.IO attachments.
    """

    __slots__ = ("_attachments", "_frame", "_payloads", "_plain", "_text", "arguments", "event", "id")

    def __init__(self, event: str | None, arguments: tuple[object, ...], id: object = None) -> None:
        self.event = event
        self.arguments = arguments
        self.id = id
        self._attachments: list[bytes] = []
        self._text: bytes | None = None
        self._frame: bytes | None = None
        self._payloads: tuple[str, ...] | None = None
        self._plain: dict[tuple[str, str | None, str | None], bytes] | None = None

    @classmethod
    def read(cls, text: bytes) -> "Packet":
        """The event that `encode` has put in words, on another node for instance; it had no attachments."""
        event, *arguments = _read(text[2:])
        packet = cls(msgspec.json.decode(event), tuple(arguments))
        packet._text = text
        return packet

    @property
    def frame(self) -> bytes:
        """WebSocket frames of the Socket.IO packet, the attachments' behind its own."""
        if self._frame is None:
            self._frame = text_frame(self.encode())
            if self._attachments:
                self._frame += b"".join(map(binary_frame, self._attachments))
        return self._frame

    @property
    def payloads(self) -> tuple[str, ...]:
        """The Engine.IO packets of it, as polling sends them."""
        if self._payloads is None:
            text = self.encode().decode()
            self._payloads = (text, *("b" + b64encode(each).decode() for each in self._attachments))
        return self._payloads

    def plain(self, form: PlainSocket) -> bytes:
        """The WebSocket frame that a plain socket of this form gets: one JSON object."""
        key = (form.event_field, form.payload_field, form.id_field)
        if self._plain is None:
            self._plain = {}
        frame = self._plain.get(key)
        if frame is None:
            frame = self._plain[key] = text_frame(self._object(form))
        return frame

    def encode(self) -> bytes:
        """The Engine.IO message that holds the Socket.IO packet (Socket.IO protocol 5).

        Raises `TypeError` for arguments that are no JSON; whoever sends the packet finds out here, and not later.
        """
        if self._text is None:
            parts = [_encoder.encode(self._without_bytes(each)) for each in self.arguments]
            if self.event is not None:
                parts.insert(0, _encoder.encode(self.event))
            kind, binary = _ACK if self.event is None else _EVENT
            told = f"{binary}{len(self._attachments)}-" if self._attachments else kind
            number = "" if self.id is None else str(self.id)
            self._text = b"4%b%b[%b]" % (told.encode(), number.encode(), b",".join(parts))
        return self._text

    def _without_bytes(self, value: object) -> object:
        """The value with every attachment put aside, and its placeholder instead; itself where there is none."""
        if not _holds_bytes(value):
            return value
        if isinstance(value, bytes | bytearray):
            self._attachments.append(bytes(value))
            return {"_placeholder": True, "num": len(self._attachments) - 1}
        if isinstance(value, dict):
            return {key: self._without_bytes(each) for key, each in cast("Mapping[object, object]", value).items()}
        return [self._without_bytes(each) for each in cast("Iterable[object]", value)]

    def _object(self, form: PlainSocket) -> bytes:
        """`{event_field: event, id_field: id, …}`; an argument that is no object stands under `payload`."""
        head: dict[str, object] = {}
        if self.event:
            head[form.event_field] = self.event
        if self.id is not None and form.id_field is not None:
            head[form.id_field] = self.id
        told = _encoder.encode(head)
        encoded = [_encoder.encode(each) for each in self.arguments[:1]]
        if not encoded:
            return told
        body = encoded[0].strip()
        if form.payload_field is None and body.startswith(b"{"):
            if not head:
                return body
            return told if body[1:-1].isspace() or body == b"{}" else told[:-1] + b"," + body[1:]
        name = _encoder.encode(form.payload_field or "payload")
        return b"%b%b%b:%b}" % (told[:-1], b"," if head else b"", name, body)


def _holds_bytes(value: object) -> bool:
    if isinstance(value, bytes | bytearray):
        return True
    if isinstance(value, dict):
        return any(map(_holds_bytes, cast("Mapping[object, object]", value).values()))
    return isinstance(value, list | tuple) and any(map(_holds_bytes, cast("Iterable[object]", value)))


class Bundle:
    """Packets that leave together, one behind the other."""

    __slots__ = ("_frames", "_plain", "packets")

    def __init__(self, *packets: Packet) -> None:
        self.packets = list(packets)
        self._frames: bytes | None = None
        self._plain: tuple[PlainSocket, bytes] | None = None

    def add(self, packet: Packet) -> None:
        """One more, behind the others."""
        self.packets.append(packet)
        self._frames = self._plain = None

    @property
    def frames(self) -> bytes:
        """What a WebSocket gets that speaks Socket.IO."""
        if self._frames is None:
            packets = self.packets
            self._frames = packets[0].frame if len(packets) == 1 else b"".join([packet.frame for packet in packets])
        return self._frames

    def frames_for(self, form: PlainSocket | None) -> bytes:
        """What a WebSocket gets: a plain one of this form, or one that speaks Socket.IO."""
        return self.frames if form is None else self.plain(form)

    def plain(self, form: PlainSocket) -> bytes:
        """What a plain socket of this form gets."""
        if self._plain is None or self._plain[0] is not form:
            self._plain = (form, b"".join([packet.plain(form) for packet in self.packets]))
        return self._plain[1]
