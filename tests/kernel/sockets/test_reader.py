"""What we use of picows: a new version fails here first."""

from importlib.metadata import version

import pytest
from picows import WSMsgType

from headwater.kernel.sockets.reader import Reader, Readers
from tests.kit.sockets import BINARY, CLOSE, CONTINUATION, PING, TEXT, frame

BOUND = 65536
Seen = tuple[object, bytes, bool, bool]


class Taken:
    """Remembers the frames of a connection."""

    def __init__(self) -> None:
        self.frames: list[Seen] = []
        self.failure: Exception | None = None

    def take_frame(self, kind: WSMsgType, payload: bytes, *, whole: bool, plain: bool) -> None:
        """Remember a frame."""
        self.frames.append((kind, payload, whole, plain))
        if self.failure is not None:
            raise self.failure


def read(reader: Reader, received: bytes) -> None:
    """Let a reader take in everything, or as much as it can."""
    at = 0
    while at < len(received) and reader.code is None:
        at = reader.read(received, at)


async def test_the_version_is_the_one_we_know() -> None:
    assert version("picows") == "2.3.1"


async def test_frames_come_as_they_are() -> None:
    readers, taken = Readers(BOUND), Taken()
    reader = readers.lend(taken)
    read(reader, frame(TEXT, b"one") + frame(BINARY, b"two", final=False) + frame(CONTINUATION, b"", reserved=4))
    read(reader, frame(PING, b"p") + frame(CLOSE, b"\x03\xe8"))
    assert taken.frames == [
        (TEXT, b"one", True, True),
        (BINARY, b"two", False, True),
        (CONTINUATION, b"", True, False),
        (PING, b"p", True, True),
        (CLOSE, b"\x03\xe8", True, True),
    ]
    assert reader.rest == 0 and reader.code is None


@pytest.mark.parametrize("step", [1, 2, 3, 700])
async def test_frames_may_come_in_pieces(step: int) -> None:
    readers, taken = Readers(BOUND), Taken()
    reader = readers.lend(taken)
    payloads = [b"a" * 125, b"b" * 126, b"c" * 3000, b""]
    stream = b"".join(frame(TEXT, payload) for payload in payloads)
    for at in range(0, len(stream), step):
        read(reader, stream[at : at + step])
        assert (reader.rest == 0) == (sum(len(frame(TEXT, each[1])) for each in taken.frames) == at + step) or (
            at + step >= len(stream)
        )
    assert [each[1] for each in taken.frames] == payloads
    assert reader.rest == 0


async def test_a_parser_is_used_again_between_frames() -> None:
    readers, one, other = Readers(BOUND), Taken(), Taken()
    reader = readers.lend(one)
    read(reader, frame(TEXT, b"1"))
    readers.give_back(reader)
    assert readers.lend(other) is reader
    read(reader, frame(TEXT, b"2"))
    assert [each[1] for each in one.frames] == [b"1"]
    assert [each[1] for each in other.frames] == [b"2"]


@pytest.mark.parametrize(
    "received",
    [frame(TEXT, b"abc")[:5], frame(TEXT, b"x" * 60_000), frame(3, b""), frame(CLOSE, b"\x03\xe8")],
    ids=["amid a frame", "grown", "broken", "closed"],
)
async def test_a_parser_that_is_not_as_new_is_not_used_again(received: bytes) -> None:
    readers, taken = Readers(BOUND), Taken()
    reader = readers.lend(taken)
    read(reader, received)
    assert reader.is_spent
    readers.give_back(reader)
    assert readers.lend(taken) is not reader


async def test_a_fast_client_does_not_make_the_parser_grow() -> None:
    readers, taken = Readers(BOUND), Taken()
    reader = readers.lend(taken)
    read(reader, frame(TEXT, b"x" * 300) * 2000)
    assert len(taken.frames) == 2000
    assert not reader.is_spent


BROKEN = {
    "unmasked": (frame(TEXT, b"x", masked=False), 1002),
    "reserved kind": (frame(3, b""), 1002),
    "reserved control kind": (frame(11, b""), 1002),
    "long ping": (frame(PING, b"x" * 126), 1002),
    "ping in pieces": (frame(PING, b"", final=False), 1002),
    "too long": (frame(TEXT, b"x" * (BOUND + 1)), 1009),
    "endless": (b"\x81\xff" + b"\xff" * 8 + b"mask", 1002),
    "length in too many bytes": (b"\x81\xfe\x00\x01mask", 1002),
    "no close code": (frame(CLOSE, b"\x00\x01"), 1002),
    "half a close code": (frame(CLOSE, b"x"), 1002),
    "close reason no text": (frame(CLOSE, b"\x03\xe8\xff"), 1007),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_frames_have_their_code(name: str) -> None:
    received, code = BROKEN[name]
    taken = Taken()
    reader = Readers(BOUND).lend(taken)
    read(reader, received)
    assert reader.code == code
    assert taken.frames == []
    assert reader.failure is None


async def test_what_the_taker_raises_is_kept() -> None:
    taken = Taken()
    taken.failure = ZeroDivisionError()
    reader = Readers(BOUND).lend(taken)
    read(reader, frame(TEXT, b"x"))
    assert reader.code == 1011
    assert reader.failure is taken.failure
