"""A lean Socket.IO client over a raw WebSocket, for tests that need hundreds of them and want to hurt them."""

import asyncio
import base64
import os
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec

Hear = Callable[[str, list[Any]], None]
Take = Callable[[Any], None]
_TEXT, _CLOSE, _PING = 1, 8, 9
_UPGRADE = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
)


class RefusedConnection(ConnectionError):
    """The server does not let this client in."""


class SocketIoClient(asyncio.Protocol):
    """One connection. `hear(event, arguments)` is called in the moment in which an event is read, in their order."""

    def __init__(self, host: str, auth: object, hear: Hear) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[dict[str, Any]] = loop.create_future()
        """What CONNECT was answered: `sid`, and `pid` where sessions are kept."""
        self.closed: asyncio.Future[None] = loop.create_future()
        self._host = host
        self._auth = auth
        self._hear = hear
        self._buffer = bytearray()
        self._upgraded = False
        self._asked: dict[int, tuple[Take | None, asyncio.Future[Any]]] = {}
        self._number = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(_UPGRADE.format(host=self._host, key=key).encode())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._upgraded and not self._read_head():
            return
        while (frame := self._next_frame()) is not None:
            self._read_frame(*frame)

    def connection_lost(self, exc: Exception | None) -> None:
        lost = ConnectionResetError("the connection is lost")
        if not self.opened.done():
            self.opened.set_exception(lost)
            self.opened.exception()  # nobody may wait for it
        for _, answer in self._asked.values():
            if not answer.done():
                answer.set_exception(lost)
                answer.exception()
        self._asked.clear()
        if not self.closed.done():
            self.closed.set_result(None)

    def emit(self, event: str, *arguments: object) -> None:
        """Tell the server an event."""
        self._say(b"42" + msgspec.json.encode((event, *arguments)))

    async def ask(self, event: str, *arguments: object, take: Take | None = None, within: float = 20.0) -> Any:
        """Tell the server an event, and return its acknowledgement.

        `take` gets it in the moment in which it is read, before whatever comes behind it. Raises `TimeoutError`, and
        `ConnectionError` when the connection is lost meanwhile.
        """
        if self.closed.done():
            raise ConnectionResetError
        self._number += 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked[self._number] = take, answer
        self._say(b"42%d%b" % (self._number, msgspec.json.encode((event, *arguments))))
        return await asyncio.wait_for(answer, within)

    def cut(self) -> None:
        """Break the connection without a word; nothing more is heard."""
        self._hear = _hear_nothing
        self._asked = {number: (None, answer) for number, (_, answer) in self._asked.items()}
        self._transport.abort()

    def stop_reading(self) -> None:
        """Let what the server sends pile up."""
        if not self.closed.done():
            self._transport.pause_reading()

    def read_on(self) -> None:
        """Take what has piled up."""
        if not self.closed.done():
            self._transport.resume_reading()

    def _read_head(self) -> bool:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return False
        self._upgraded = bytes(head).split(b" ", 2)[1] == b"101"
        self._buffer = rest
        if not self._upgraded:
            self._refuse(head.splitlines()[0].decode())
        return self._upgraded

    def _next_frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, start = buffer[1], 2
        if size > 125:
            start = 4 if size == 126 else 10
            size = int.from_bytes(buffer[2:start], "big")
        if len(buffer) < start or len(buffer) < start + size:
            return None
        frame = buffer[0] & 15, bytes(buffer[start : start + size])
        del buffer[: start + size]
        return frame

    def _read_frame(self, kind: int, payload: bytes) -> None:
        if kind == _TEXT:
            self._read_packet(payload)
        elif kind == _CLOSE:
            self._transport.abort()
        else:
            assert kind == _PING, f"a frame of kind {kind}"

    def _read_packet(self, text: bytes) -> None:
        match text[:2]:
            case b"42":
                event, *arguments = msgspec.json.decode(text[2:])
                self._hear(event, arguments)
            case b"43":
                number, _, rest = text[2:].partition(b"[")
                take, answer = self._asked.pop(int(number))
                (told,) = msgspec.json.decode(b"[" + rest)
                if take is not None:
                    take(told)
                if not answer.done():
                    answer.set_result(told)
            case b"2":
                self._say(b"3")
            case b"40":
                self.opened.set_result(msgspec.json.decode(text[2:]))
            case b"44":
                self._refuse(text[2:].decode())
            case b"41":
                self._transport.abort()
            case _:
                assert text[:1] == b"0", text
                self._say(b"40" + msgspec.json.encode(self._auth))

    def _refuse(self, reason: str) -> None:
        if not self.opened.done():
            self.opened.set_exception(RefusedConnection(reason))
        self._transport.abort()

    def _say(self, text: bytes) -> None:
        size = len(text)
        length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        self._transport.write(b"\x81" + length + b"\0\0\0\0" + text)  # masked with zeros, which is a mask too


async def connect(url: str, auth: object, hear: Hear, *, receive_buffer: int | None = None) -> SocketIoClient:
    """A client that was let in, of at most 64 KiB a message.

    `receive_buffer`: bytes that the kernel takes in for it; with few, a client that stops reading is soon felt.
    Raises `RefusedConnection`, `OSError`.
    """
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    end = socket.socket()
    end.setblocking(False)
    if receive_buffer is not None:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    try:
        await loop.sock_connect(end, (parts.hostname, parts.port))
        _, client = await loop.create_connection(lambda: SocketIoClient(parts.netloc, auth, hear), sock=end)
    except BaseException:
        end.close()
        raise
    try:
        await client.opened
    except BaseException:
        client.cut()
        raise
    return client


def _hear_nothing(_event: str, _arguments: list[Any]) -> None:
    """Whatever comes, it comes too late."""
