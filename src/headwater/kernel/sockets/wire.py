"""A WebSocket connection: messages in and frames out."""

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

from picows import WSMsgType
from typing_extensions import override

from headwater.kernel.sockets.frames import close_frame, pong_frame
from headwater.kernel.sockets.models import CloseReason
from headwater.kernel.sockets.reader import Reader, Readers

_REASONS = {
    1002: CloseReason.MALFORMED,
    1007: CloseReason.NOT_TEXT,
    1009: CloseReason.OVERSIZED,
    1011: CloseReason.FAILED,
}

_SMALLEST_PIECE = 16
"""Bytes that a piece of a message counts for, even an empty one: else there could be any number of them."""


class Owner(Protocol):
    """Whom a wire belongs to."""

    def take_text(self, text: str, /) -> None:
        """A text message has come."""
        ...

    def take_binary(self, content: bytes, /) -> None:
        """A binary message has come."""
        ...

    def take_sign(self) -> None:
        """A sign of life has come, and nothing else: a ping or a pong."""
        ...

    def end(self, reason: CloseReason, /) -> None:
        """The wire has ended, or must not go on; called once at least, and its connection may still be there."""
        ...


class Terms(Protocol):
    """What the wires of a process have in common."""

    @property
    def readers(self) -> Readers:
        """Where parsers are lent."""
        ...

    @property
    def frame_bytes(self) -> int:
        """The size of a message, at most."""
        ...

    def blame(self, failure: BaseException) -> None:
        """Something nobody foresaw was raised while a frame was taken in."""
        ...

    def linger(self, wire: "Wire") -> None:
        """End the wire's connection soon, if the client does not."""
        ...

    def released(self, wire: "Wire") -> None:
        """The wire's connection is no more."""
        ...


class Wire(asyncio.Protocol):
    """A WebSocket connection after its handshake.

    Frames are written by `transport.write` as they are; `open` is false from the first close frame on, and then none
    may be. `owner` may change hands. `release` is called when the connection is no more.
    """

    __slots__ = ("_kind", "_pieces", "_reader", "_release", "_size", "_terms", "open", "owner", "transport")

    def __init__(
        self, transport: asyncio.Transport, terms: Terms, release: Callable[[], None], write_buffer: int
    ) -> None:
        self.transport = transport
        self.open = True
        self.owner: Owner | None = None
        self._terms = terms
        self._release = release
        self._reader: Reader | None = None
        self._pieces: list[bytes] | None = None
        self._kind = WSMsgType.TEXT
        self._size = 0
        transport.set_write_buffer_limits(high=write_buffer)

    def is_behind(self, most: int) -> bool:
        """Whether a quarter of `most` bytes waits to be sent."""
        return 4 * self.transport.get_write_buffer_size() > most

    def write(self, frames: bytes) -> None:
        """Write whole frames, unless the connection ends."""
        if self.open:
            self.transport.write(frames)

    def pause_reading(self, *, paused: bool) -> None:
        """Let the client wait before he sends more, or go on."""
        if self.open:
            if paused:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()

    def close(self, code: int, reason: str = "") -> None:
        """Say goodbye, and let the client end the connection, or the ticker, if the client does not."""
        if self.open:
            self.open = False
            self.transport.resume_reading()
            self.transport.write(close_frame(code, reason))
            self._terms.linger(self)
            try:
                if self.transport.can_write_eof():
                    self.transport.write_eof()
            except OSError:  # the client has cut the connection, and nobody has told us yet
                self.transport.abort()

    def abort(self) -> None:
        """End the connection at once, whatever waits to be written."""
        self.open = False
        self.transport.abort()

    @override
    def data_received(self, data: bytes) -> None:
        reader, at = self._reader, 0
        if reader is None:
            reader = self._terms.readers.lend(self)
        while self.open and at < len(data):
            at = reader.read(data, at)
            if (code := reader.code) is not None:
                if reader.failure is not None:
                    self._terms.blame(reader.failure)
                self._end(_REASONS.get(code, CloseReason.MALFORMED))
        if self.open and reader.rest != 0:
            self._reader = reader
        else:
            self._reader = None
            self._terms.readers.give_back(reader)

    def take_frame(self, kind: WSMsgType, payload: bytes, *, whole: bool, plain: bool) -> None:
        """A frame has come: a message, a piece of one, or a word about the connection."""
        if not self.open:
            return
        if not plain:
            self._end(CloseReason.MALFORMED)
        elif kind in (WSMsgType.PING, WSMsgType.PONG):
            if kind == WSMsgType.PING:
                self.transport.write(pong_frame(payload))
            cast("Owner", self.owner).take_sign()
        elif kind == WSMsgType.CLOSE:
            self._answer_close(payload)
        elif kind == WSMsgType.CONTINUATION or not whole or self._pieces is not None:
            self._take_piece(kind, payload, whole=whole)
        else:
            self._take_message(kind, payload)

    def _take_piece(self, kind: WSMsgType, payload: bytes, *, whole: bool) -> None:
        first = kind != WSMsgType.CONTINUATION
        if first != (self._pieces is None):
            self._end(CloseReason.MALFORMED)
            return
        if self._pieces is None:
            self._kind, self._pieces, self._size = kind, [], 0
        self._pieces.append(payload)
        self._size += max(len(payload), _SMALLEST_PIECE)
        if self._size > self._terms.frame_bytes:
            self._end(CloseReason.OVERSIZED)
        elif whole:
            message, self._pieces = b"".join(self._pieces), None
            self._take_message(self._kind, message)

    def _take_message(self, kind: WSMsgType, message: bytes) -> None:
        owner = cast("Owner", self.owner)
        if kind == WSMsgType.BINARY:
            owner.take_binary(message)
            return
        try:
            text = message.decode()
        except UnicodeDecodeError:
            self._end(CloseReason.NOT_TEXT)
            return
        owner.take_text(text)

    def _answer_close(self, payload: bytes) -> None:
        self.open = False
        self.transport.write(close_frame(int.from_bytes(payload[:2], "big") if len(payload) > 1 else 1005))
        self.transport.close()
        self._terms.linger(self)
        cast("Owner", self.owner).end(CloseReason.CLIENT)

    def _end(self, reason: CloseReason) -> None:
        """The client has broken the rules: whom the wire belongs to closes it with this reason."""
        self._pieces = None
        owner = self.owner
        if owner is not None:
            owner.end(reason)
        self.close(reason.code)

    @override
    def pause_writing(self) -> None:
        """The client does not read what is written: nobody waits for him."""
        self.abort()
        if self.owner is not None:
            self.owner.end(CloseReason.SLOW)

    @override
    def resume_writing(self) -> None:
        """Nothing waits for this."""

    @override
    def eof_received(self) -> None:
        """The client says no more: the connection closes itself."""

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        owner, self.owner = self.owner, None
        self._reader = self._pieces = None
        self._release()
        self._terms.released(self)
        if owner is not None:
            owner.end(CloseReason.LOST)
