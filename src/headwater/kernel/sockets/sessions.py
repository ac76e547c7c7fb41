"""Engine.IO sessions as requests open, read, write and upgrade them."""

import binascii
from base64 import b64decode
from collections.abc import Awaitable, Callable
from functools import partial

from headwater.kernel.models import RawRequest, Reply
from headwater.kernel.sockets.declarations import PlainSocket
from headwater.kernel.sockets.doors import (
    BAD_REQUEST,
    STOPPING,
    TOO_MANY,
    UNKNOWN_SESSION,
    WRONG_METHOD,
    Door,
    Entrance,
    error_in,
    named,
    queried,
    said,
    session_at,
)
from headwater.kernel.sockets.engine import EngineSocket, Probe
from headwater.kernel.sockets.models import CloseReason, Handshake
from headwater.kernel.sockets.plain import JsonSocket
from headwater.kernel.sockets.polling import NOOP, SEPARATOR, Queue
from headwater.kernel.sockets.reception import Reception
from headwater.kernel.sockets.registry import Registry
from headwater.kernel.sockets.wire import Wire


class Sessions:
    """Opens sockets at a door, and carries those that poll; `home` stands in the names of their sessions."""

    def __init__(self, registry: Registry, home: str) -> None:
        self._registry = registry
        self._home = home
        self.closed = False

    def entrance(self, door: Door, handshake: Handshake) -> Entrance | Reply:
        """What to do with the wire of a WebSocket that is opened at a door, or why it must not be opened."""
        sid = handshake.query.get("sid") if door.form is None else None
        if sid is None and (full := self._full_for(handshake.address)) is not None:
            return full
        if door.form is not None:
            return partial(self._enter_plain, door.reception, door.form, handshake)
        if (error := error_in(handshake.query, "websocket")) is not None:
            return error
        if sid is None:
            return partial(self._enter, door, handshake)
        socket = self._session(door, sid)
        if socket is None or socket.queue is None or socket.queue.upgrading:
            return UNKNOWN_SESSION
        return partial(self._try, socket)

    async def read(self, door: Door, request: RawRequest) -> Reply:
        """Open a session that polls, or fetch what waits for one, as soon as there is something."""
        query = queried(request.query)
        error = error_in(query, "polling")
        if request.method != "GET":  # a HEAD is led here too: it would open a session that nobody could name
            error = WRONG_METHOD
        if error is not None:
            return error
        if (sid := query.get("sid")) is None:
            return self._open(door, request, query)
        socket = self._session(door, sid)
        queue = None if socket is None else socket.queue
        if socket is None or queue is None:
            return UNKNOWN_SESSION
        if queue.is_asked:
            socket.end(CloseReason.MALFORMED)
            return BAD_REQUEST
        if not queue.has_news and not await self._news(request, queue):
            self._registry.missed(socket)
            return said(NOOP)
        payload, shown = queue.shown()
        return said(payload, partial(self._sent, socket, queue, shown))

    async def write(self, door: Door, request: RawRequest) -> Reply:
        """Take in what a client that polls has to say; the answer comes when he may say more."""
        query = queried(request.query)
        if (error := error_in(query, "polling")) is not None:
            return error
        socket = self._session(door, query.get("sid", ""))
        queue = None if socket is None else socket.queue
        if socket is None or queue is None:
            return UNKNOWN_SESSION
        try:
            packets = request.body.decode().split(SEPARATOR)
        except UnicodeDecodeError:
            packets = []
        if not packets:
            socket.end(CloseReason.NOT_TEXT)
        for packet in packets:
            self._take(socket, packet)
            if not socket.connected:
                break
        if not socket.connected and not socket.was_ended_by_client:
            return BAD_REQUEST
        await queue.has_room()
        return said("ok")

    async def _news(self, request: RawRequest, queue: Queue) -> bool:
        """Wait for something to answer; false if the client leaves before."""
        if request.hung_up is None:
            return await queue.news()
        watch = self._registry.tasks.start(_told_of_its_end(queue, request.hung_up))
        try:
            return await queue.news()
        finally:
            watch.cancel()

    def _sent(self, socket: EngineSocket, queue: Queue, shown: int, reached: bool) -> None:  # noqa: FBT001 - see Reply
        if not reached:
            self._registry.missed(socket)
            return
        queue.drop(shown)
        if queue.is_over:
            self._registry.forget(socket.sid)

    def _take(self, socket: EngineSocket, packet: str) -> None:
        if len(packet) > self._registry.frame_bytes * (1 if packet[:1] != "b" else 2):
            socket.end(CloseReason.OVERSIZED)
        elif packet[:1] != "b":
            socket.take_text(packet)
        else:
            try:
                socket.take_binary(b64decode(packet[1:], validate=True))
            except binascii.Error:
                socket.end(CloseReason.MALFORMED)

    def _open(self, door: Door, request: RawRequest, query: dict[str, str]) -> Reply:
        if (full := self._full_for(request.address)) is not None:
            return full
        handshake = Handshake(
            path=door.path, query=query, headers=request.headers, address=request.address, carrier="polling"
        )
        queue = Queue()
        socket = EngineSocket(self._registry, door.reception, handshake, queue, session_at(self._home))
        self._registry.enter(socket)
        return said(queue.taken())

    def _full_for(self, address: str) -> Reply | None:
        """The answer to an address that cannot open another socket."""
        if self.closed:
            return STOPPING
        return TOO_MANY if self._registry.is_crowded_at(address) else None

    def _session(self, door: Door, sid: str) -> EngineSocket | None:
        socket = self._registry.polling.get(sid)
        if socket is None or named(socket.path) != door.path:
            return None
        self._registry.returned(socket)
        return socket

    def _enter(self, door: Door, handshake: Handshake, wire: Wire) -> None:
        socket = EngineSocket(self._registry, door.reception, handshake, wire, session_at(self._home))
        wire.owner = socket
        self._registry.enter(socket)

    def _enter_plain(self, reception: Reception, form: PlainSocket, handshake: Handshake, wire: Wire) -> None:
        socket = JsonSocket(self._registry, reception, handshake, wire, form)
        wire.owner = socket
        self._registry.enter(socket)

    def _try(self, socket: EngineSocket, wire: Wire) -> None:
        probe = Probe(socket, wire)
        wire.owner = probe
        self._registry.heartbeat.later(wire, self._registry.settings.admission_seconds, probe.give_up)


async def _told_of_its_end(queue: Queue, hung_up: Callable[[], Awaitable[None]]) -> None:
    await hung_up()
    queue.leave()
