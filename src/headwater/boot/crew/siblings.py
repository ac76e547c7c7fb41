"""Connections that one process of a crew has taken and another must answer."""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from headwater.kernel.bus import Tasks
from headwater.kernel.observe import Observer

Adopt = Callable[[socket.socket, bytes], Awaitable[None]]
_PATIENCE = 2.0
_WAITING = 1024
_PART = 65536
_SIZE = 4


class Siblings:
    """Hands connections to the other processes of a crew, and takes theirs.

    What goes over their unix sockets, in their meeting place, is the connection itself (SCM_RIGHTS) with what was read
    of it: the number of bytes in four bytes, then the bytes. The client notices nothing of it.
    """

    def __init__(self, meeting_place: Path, number: int, observer: Observer) -> None:
        self._place = meeting_place
        self._number = number
        self._tasks = Tasks("crew", observer)

    def hand_over(self, home: str, connection: asyncio.Transport, content: bytes, done: Callable[[bool], None]) -> None:
        """Give a connection to the process of this number; `done` is told whether it has gone there.

        Nothing may be read from it or written to it meanwhile; after that, our own end of it is to be aborted.
        """
        kept = os.dup(connection.get_extra_info("socket").fileno())  # ours may be closed, and its number another's
        self._tasks.start(self._hand_over(home, kept, content, done))

    @asynccontextmanager
    async def taken_in(self, adopt: Adopt) -> AsyncGenerator[None]:
        """Let `adopt` have the connections that others hand to us, for the length of a block."""
        path = self._socket(str(self._number))
        path.unlink(missing_ok=True)  # of an earlier process with this number, which was killed
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            listening.listen(_WAITING)
            listening.settimeout(0)
            loop = asyncio.get_running_loop()
            loop.add_reader(listening, self._accept, listening, adopt)
            try:
                yield
            finally:
                loop.remove_reader(listening)
                path.unlink(missing_ok=True)
                await self._tasks.stop(_PATIENCE)

    async def _hand_over(self, home: str, connection: int, content: bytes, done: Callable[[bool], None]) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._send(home, connection, len(content).to_bytes(_SIZE, "big") + content)
            gone = True
        except (OSError, TimeoutError):  # nobody is there
            gone = False
        finally:
            os.close(connection)
        done(gone)

    async def _send(self, home: str, connection: int, frame: bytes) -> None:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_UNIX) as end:
            end.settimeout(0)
            await loop.sock_connect(end, str(self._socket(home)))
            sent = socket.send_fds(end, [frame], [connection])
            await loop.sock_sendall(end, frame[sent:])

    def _accept(self, listening: socket.socket, adopt: Adopt) -> None:
        with suppress(OSError):  # nobody more, or no room for them
            while True:
                end, _ = listening.accept()
                self._tasks.start(self._take(end, adopt))

    async def _take(self, end: socket.socket, adopt: Adopt) -> None:
        with end:
            end.settimeout(0)
            try:
                async with asyncio.timeout(_PATIENCE):
                    taken = await _received(end)
            except TimeoutError:
                return
        if taken is not None:
            await adopt(*taken)

    def _socket(self, number: str) -> Path:
        return self._place / f"connections-{number}.sock"


async def _received(end: socket.socket) -> tuple[socket.socket, bytes] | None:
    """A connection, and what was read of it; None if whoever sends it ends before it is whole."""
    await _is_readable(end)
    frame, connections, _, _ = socket.recv_fds(end, _PART, 1)
    if not connections:
        return None
    connection = socket.socket(fileno=connections[0])
    try:
        while len(frame) < _SIZE or len(frame) < _SIZE + int.from_bytes(frame[:_SIZE], "big"):
            part = await asyncio.get_running_loop().sock_recv(end, _PART)
            if not part:
                connection.close()
                return None
            frame += part
    except BaseException:
        connection.close()
        raise
    return connection, frame[_SIZE:]


async def _is_readable(end: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(end, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(end)
