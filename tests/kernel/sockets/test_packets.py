"""Outgoing messages in every wire form."""

import json

import msgspec
import pytest

from headwater.kernel.sockets import Packet, PlainSocket
from headwater.kernel.sockets.frames import binary_frame, close_frame, text_frame
from headwater.kernel.sockets.packets import Bundle

PLAIN = PlainSocket(path="/ws")
WRAPPED = PlainSocket(path="/ws", event_field="kind", payload_field="data", id_field=None)


@pytest.mark.parametrize(
    ("packet", "payloads"),
    [
        (Packet("said", ("hi", 1)), ('42["said","hi",1]',)),
        (Packet("said", ()), ('42["said"]',)),
        (Packet("said", ("ü",), 12), ('4212["said","ü"]',)),
        (Packet(None, ({"ok": True},), 3), ('433[{"ok":true}]',)),
        (Packet(None, (), 0), ("430[]",)),
        (Packet("said", (msgspec.Raw(b'{"raw":1}'),)), ('42["said",{"raw":1}]',)),
        (Packet("file", (b"\x00\xff",)), ('451-["file",{"_placeholder":true,"num":0}]', "bAP8=")),
        (
            Packet("files", ({"a": [b"1", "x"]}, b"2", (b"3",)), 7),
            (
                '453-7["files",{"a":[{"_placeholder":true,"num":0},"x"]},{"_placeholder":true,"num":1},[{"_placeholder":true,"num":2}]]',
                "bMQ==",
                "bMg==",
                "bMw==",
            ),
        ),
        (Packet(None, (b"1",), 9), ('461-9[{"_placeholder":true,"num":0}]', "bMQ==")),
    ],
)
def test_socket_io_packets(packet: Packet, payloads: tuple[str, ...]) -> None:
    assert packet.payloads == payloads
    attachments = b"".join(binary_frame(each) for each in _attachments(packet))
    assert packet.frame == text_frame(payloads[0].encode()) + attachments


def _attachments(packet: Packet) -> list[bytes]:
    return {2: [b"\x00\xff"], 4: [b"1", b"2", b"3"]}.get(len(packet.payloads), []) if packet.id != 9 else [b"1"]


@pytest.mark.parametrize(
    ("packet", "form", "told"),
    [
        (Packet("said", ({"text": "hi"},)), PLAIN, {"type": "said", "text": "hi"}),
        (Packet("said", ()), PLAIN, {"type": "said"}),
        (Packet("said", ({},)), PLAIN, {"type": "said"}),
        (Packet("said", (msgspec.Raw(b" { } "),)), PLAIN, {"type": "said"}),
        (Packet("said", ([1],)), PLAIN, {"type": "said", "payload": [1]}),
        (Packet("", ({"error": "no"},)), PLAIN, {"error": "no"}),
        (Packet(None, ({"ok": True},), 4), PLAIN, {"id": 4, "ok": True}),
        (Packet(None, (3,), "a"), PLAIN, {"id": "a", "payload": 3}),
        (Packet("said", ({"text": "hi"},), 4), WRAPPED, {"kind": "said", "data": {"text": "hi"}}),
        (Packet("", (1,)), WRAPPED, {"data": 1}),
    ],
)
def test_plain_frames(packet: Packet, form: PlainSocket, told: object) -> None:
    frame = packet.plain(form)
    assert frame[0] == 0x81 and frame[1] == len(frame) - 2
    assert json.loads(frame[2:]) == told


def test_each_form_is_made_once() -> None:
    packet = Packet("said", ({"text": "hi"},))
    assert packet.frame is packet.frame
    assert packet.payloads is packet.payloads
    assert packet.plain(PLAIN) is packet.plain(PLAIN)
    bundle = Bundle(packet)
    assert bundle.frames is packet.frame
    bundle.add(Packet("more", ()))
    assert bundle.frames is bundle.frames == packet.frame + Packet("more", ()).frame
    assert bundle.plain(PLAIN) == packet.plain(PLAIN) + Packet("more", ()).plain(PLAIN)


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_frame_heads(size: int) -> None:
    frame = text_frame(b"x" * size)
    length = frame[1] if frame[1] < 126 else int.from_bytes(frame[2 : 4 if frame[1] == 126 else 10], "big")
    assert length == size and frame.endswith(b"x" * size)


def test_close_frames() -> None:
    assert close_frame(1000, "bye") == b"\x88\x05\x03\xe8bye"
    assert close_frame(1006) == b"\x88\x00"
    long = close_frame(1008, "ü" * 100)
    assert long[1] <= 125 and long[4:].decode()
