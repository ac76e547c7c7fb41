"""Everyone who is there: sockets, the wires and queues that carry them, and their heartbeats."""

from collections.abc import Iterator
from functools import partial
from typing import cast

from headwater.kernel.bus import Tasks
from headwater.kernel.observe import HookFailed, Observer
from headwater.kernel.sockets.attended import AttendedSocket
from headwater.kernel.sockets.engine import EngineSocket
from headwater.kernel.sockets.heartbeat import Beating, Heartbeat
from headwater.kernel.sockets.models import CloseReason, SocketSettings
from headwater.kernel.sockets.reader import Readers
from headwater.kernel.sockets.rooms import Rooms
from headwater.kernel.sockets.wire import Wire

_LINGERING = 2.0
"""Seconds that a client may take to end a connection that we have ended, or to fetch its last packets."""
_MISSED = 5.0
"""Seconds after which a client that polls must be back if it has gone in the middle of a request."""


class Registry(Rooms):
    """The sockets of this process from their first word to their last, and the rooms they are in.

    `polling` are those that are carried by requests, by their secret names.
    """

    def __init__(self, settings: SocketSettings, observer: Observer) -> None:
        super().__init__(self.blame)
        self.settings = settings
        self.frame_bytes = settings.frame_bytes
        self.tasks = Tasks("sockets", observer)
        self.readers = Readers(settings.frame_bytes)
        self.heartbeat = Heartbeat(settings.ping_interval, settings.ping_timeout, _lose)
        self.polling: dict[str, EngineSocket] = {}
        self.lingering: set[Wire] = set()
        self._observer = observer
        self._sockets: set[AttendedSocket] = set()
        self._addresses: dict[str, int] = {}

    def __iter__(self) -> Iterator[AttendedSocket]:
        """Every socket, also those that are not let in yet."""
        return iter(tuple(self._sockets))

    def __len__(self) -> int:
        return len(self._sockets)

    def is_crowded_at(self, address: str) -> bool:
        """Whether an address has as many sockets as it may."""
        return self._addresses.get(address, 0) >= self.settings.per_address

    def enter(self, socket: AttendedSocket) -> None:
        """A socket has come: it must soon be let in, and give signs of life."""
        self._sockets.add(socket)
        self._addresses[socket.address] = self._addresses.get(socket.address, 0) + 1
        self.heartbeat.add(socket)
        leave = partial(socket.end, CloseReason.UNADMITTED, "Nobody said in time who this is")
        self.heartbeat.later(socket, self.settings.admission_seconds, leave)
        if isinstance(socket, EngineSocket) and socket.queue is not None:
            self.polling[socket.sid] = socket

    def admitted(self, socket: AttendedSocket) -> None:
        """A socket has been let in."""
        self.heartbeat.settled(socket)

    def moved(self, socket: AttendedSocket) -> None:
        """A socket that was polling goes on by WebSocket."""
        self.forget(cast("EngineSocket", socket).sid)
        for room in socket.rooms:
            self.rearrange(room)

    def gone(self, socket: AttendedSocket, reason: CloseReason) -> None:
        """A socket has ended; a client that polls may still fetch what was told last."""
        self._sockets.discard(socket)
        left = self._addresses[socket.address] - 1
        if left:
            self._addresses[socket.address] = left
        else:
            del self._addresses[socket.address]
        self.heartbeat.remove(socket)
        self.heartbeat.settled(socket)
        if isinstance(socket, EngineSocket) and socket.queue is not None:
            self.heartbeat.later(socket.sid, _LINGERING, partial(self.forget, socket.sid))

    def missed(self, socket: EngineSocket) -> None:
        """A client that polls has gone in the middle of a request: it is lost unless it soon is back."""
        if socket.connected and socket.queue is not None:
            self.heartbeat.later(socket.sid, _MISSED, partial(socket.end, CloseReason.LOST))

    def returned(self, socket: EngineSocket) -> None:
        """A client that polls has come with a request."""
        if socket.connected:
            self.heartbeat.settled(socket.sid)

    def forget(self, sid: str) -> None:
        """Let no request ask for this session any more."""
        self.polling.pop(sid, None)
        self.heartbeat.settled(sid)

    def linger(self, wire: Wire) -> None:
        """End the wire's connection soon, if the client does not."""
        self.lingering.add(wire)
        self.heartbeat.later(wire, _LINGERING, wire.abort)

    def released(self, wire: Wire) -> None:
        """The wire's connection is no more."""
        self.lingering.discard(wire)
        self.heartbeat.settled(wire)

    def blame(self, failure: BaseException) -> None:
        """Something nobody foresaw was raised."""
        self._observer.tell(HookFailed(part="sockets", failure=failure))


def _lose(beating: Beating) -> None:
    cast("AttendedSocket", beating).end(CloseReason.SILENT)
