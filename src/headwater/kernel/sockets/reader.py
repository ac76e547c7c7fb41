"""Incoming WebSocket frames, parsed by picows."""

import asyncio
import logging
import sys
from collections.abc import Callable
from typing import Any, Protocol, cast

from picows import WSAutoPingStrategy, WSFrame, WSListener, WSMsgType, WSTransport
from picows.picows import WSProtocol  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
from typing_extensions import override

_HANDSHAKE = (
    b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
_make_parser = cast("Callable[..., Any]", WSProtocol)
_SMALLEST = 2048
_KEPT = 16


class Taker(Protocol):
    """Takes the frames of one connection."""

    def take_frame(self, kind: WSMsgType, payload: bytes, *, whole: bool, plain: bool) -> None:
        """One frame: `whole` if it ends its message, `plain` if no reserved bit is set."""
        ...


class _Nothing(asyncio.Transport):
    """The connection a parser believes to have, and its socket: what is written there is nobody's."""

    @override
    def get_extra_info(self, name: str, default: object = None) -> object:
        return self if name == "socket" else default

    def fileno(self) -> int:
        """No file: the parser would write to it by itself."""
        return -1

    def setsockopt(self, *_option: object) -> None:
        """Nothing to set."""

    def getsockopt(self, *_option: object) -> int:
        """Nothing is set."""
        return 0

    @override
    def get_write_buffer_size(self) -> int:
        return 1  # "something waits", so that the parser does not try the file

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    @override
    def close(self) -> None:
        pass


class _Quiet(logging.LoggerAdapter[logging.Logger]):
    """A parser's log: what a client does wrong is no news, what we do wrong is kept in `failure`."""

    failure: BaseException | None = None

    @override
    def isEnabledFor(self, level: int) -> bool:
        return False

    @override
    def exception(self, msg: object, *args: object, **kwargs: object) -> None:
        self.failure = sys.exception()


class Reader(WSListener):
    """A parser of frames and the connection it is lent to.

    picows ties its parser to a connection and to a handshake, and with them some 6 KiB to every socket that says
    nothing. Here a parser has neither: it is lent to a connection while a frame is on its way, and given back at the
    frame's end. The names of picows this leans on are not its public face; tests/kernel/sockets/test_reader.py is
    their contract.
    """

    __slots__ = ("_log", "_parser", "_room", "rest", "taker")

    def __init__(self, frame_bytes: int) -> None:
        self.taker: Taker | None = None
        self.rest = 0
        self._log = _Quiet(logging.getLogger(__name__))
        ping = WSAutoPingStrategy.PING_WHEN_IDLE
        self._parser: Any = _make_parser(
            None, None, False, self._listen, self._log, True, None, False, 20, 20, ping, False,  # noqa: FBT003
            frame_bytes, None, _SMALLEST,
        )  # fmt: skip
        self._parser.connection_made(_Nothing())
        self._room = len(self._parser.get_buffer(-1))
        self._fill(_HANDSHAKE)

    @property
    def is_spent(self) -> bool:
        """Whether it has met an error or a goodbye, or has grown: it is of no use to the next connection."""
        return self._parser.transport.close_handshake is not None or len(self._parser.get_buffer(-1)) != self._room

    @property
    def code(self) -> int | None:
        """The close code that the connection has earned, if it has; nothing more may be read then."""
        transport: WSTransport = self._parser.transport
        if not transport.is_close_frame_sent:
            return None
        sent = transport.close_handshake.sent
        return 1002 if sent is None else int(sent.code)  # pyright: ignore[reportArgumentType] - an IntEnum, say its sources

    @property
    def failure(self) -> BaseException | None:
        """What the taker raised, if it did."""
        return self._log.failure

    def read(self, received: bytes, at: int) -> int:
        """Take in some of what was received, from `at` on; where the rest begins.

        `rest` is 0 then if a frame has just ended. Only half of the parser's room is filled at a time: it would double
        it when it is nearly full, however short the frames are, and a fast client could have it grow for ever.
        """
        end = min(len(received), at + max(1, len(self._parser.get_buffer(-1)) // 2))
        self.rest = -1
        self._fill(received[at:end])
        return end

    def discard(self) -> None:
        """Let go of the parser, which knows its listener: nobody would collect the two soon."""
        self._parser = None

    def _listen(self, _request: object) -> "Reader":
        return self

    def _fill(self, received: bytes) -> None:
        room = self._parser.get_buffer(-1)
        room[: len(received)] = received
        del room
        self._parser.buffer_updated(len(received))

    @override
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self.rest = frame.tail_size
        if self.taker is not None:
            plain = not (frame.rsv1 or frame.rsv2 or frame.rsv3)
            self.taker.take_frame(frame.msg_type, frame.get_payload_as_bytes(), whole=bool(frame.fin), plain=plain)


class Readers:
    """The parsers of this process that are not lent."""

    def __init__(self, frame_bytes: int) -> None:
        self._frame_bytes = frame_bytes
        self._idle: list[Reader] = []

    def lend(self, taker: Taker) -> Reader:
        """A parser for the next frames of a connection."""
        reader = self._idle.pop() if self._idle else Reader(self._frame_bytes)
        reader.taker = taker
        return reader

    def give_back(self, reader: Reader) -> None:
        """Take a parser back that stands between two frames, or is spent."""
        reader.taker = None
        if len(self._idle) < _KEPT and not reader.is_spent:
            self._idle.append(reader)
        else:
            reader.discard()
