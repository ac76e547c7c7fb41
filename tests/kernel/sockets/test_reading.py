"""Socket.IO packets of clients, proper and not."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.kernel.sockets import MalformedMessage, Packet
from headwater.kernel.sockets.reading import ClientPacket, Kind, read_packet

HERE = {"_placeholder": True, "num": 0}


@pytest.mark.parametrize(
    ("text", "packet"),
    [
        ("0", ClientPacket(Kind.CONNECT)),
        ('0{"token":"x"}', ClientPacket(Kind.CONNECT, content={"token": "x"})),
        ("0/admin,", ClientPacket(Kind.CONNECT, "/admin")),
        ('0/admin?x=1,{"a":1}', ClientPacket(Kind.CONNECT, "/admin", content={"a": 1})),
        ("1", ClientPacket(Kind.DISCONNECT)),
        ('2["said",1]', ClientPacket(Kind.EVENT, content=["said", 1])),
        ('212["said"]', ClientPacket(Kind.EVENT, id=12, content=["said"])),
        ('2/,3["said"]', ClientPacket(Kind.EVENT, id=3, content=["said"])),
        ('2["\\u0000"]', ClientPacket(Kind.EVENT, content=["\0"], may_hold_nul=True)),
        ("313[]", ClientPacket(Kind.ACK, id=13, content=[])),
        ('51-["f",{"_placeholder":true,"num":0}]', ClientPacket(Kind.BINARY_EVENT, content=["f", HERE], attachments=1)),
        ('61-4[{"_placeholder":true,"num":0}]', ClientPacket(Kind.BINARY_ACK, id=4, content=[HERE], attachments=1)),
    ],
)  # fmt: skip
def test_proper_packets(text: str, packet: ClientPacket) -> None:
    assert read_packet(text) == packet


@pytest.mark.parametrize(
    "text",
    [
        "", "7", "x", "2", "2{}", "2[]", "2[1]", '2["connect"]', '2["disconnect",1]', '2["said"', '2["said"]x',
        "0[]", '0"x"', "0{", "1[]", "3[]", "31{}", "31", "4{}", '4"no"', '5["f"]', '5-["f"]', '5x-["f"]', '517-["f"]',
        '5999999-["f"]', "6[]", "61-[]", '2٣["said"]', "2" + "9" * 16 + '["said"]', "2" + "[" * 5000,
        '2["\ud800"]', "2[NaN]",
    ],
)  # fmt: skip
def test_malformed_packets(text: str) -> None:
    with pytest.raises(MalformedMessage):
        read_packet(text)


@pytest.mark.parametrize("number", ["1", "-1", '"0"', "0.0", "true", "null", "1e9"])
def test_a_placeholder_names_an_attachment_that_came(number: str) -> None:
    packet = read_packet('51-["f",[{"_placeholder":true,"num":' + number + "}]]")
    with pytest.raises(MalformedMessage):
        packet.arguments([b"x"])


def test_attachments_take_their_places() -> None:
    text = '52-["f",{"a":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0},{"_placeholder":false}]'
    assert read_packet(text).arguments([b"0", b"1"]) == ["f", {"a": b"1"}, b"0", {"_placeholder": False}]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.binary(max_size=20),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(), each, max_size=3),
    max_leaves=8,
)


@given(arguments=st.lists(VALUES, max_size=4), number=st.none() | st.integers(0, 10**12))
def test_what_we_write_we_read(arguments: list[object], number: int | None) -> None:
    packet = Packet("said", tuple(arguments), number)
    text, *rest = packet.payloads
    if len(rest) > 16 or any(_looks_like_a_placeholder(each) for each in arguments):
        return
    read = read_packet(text[1:])
    assert read.id == number
    attachments = [_content(each) for each in rest]
    assert read.arguments(attachments) == ["said", *arguments]


@given(st.text())
def test_any_text_is_a_packet_or_malformed(text: str) -> None:
    try:
        read_packet(text)
    except MalformedMessage:
        return


def _content(payload: str) -> bytes:
    return base64.b64decode(payload[1:])


def _looks_like_a_placeholder(value: object) -> bool:
    return "_placeholder" in repr(value)
