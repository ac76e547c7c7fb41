"""One client's end, whatever carries it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Protocol

from headwater.kernel.principal import NOBODY, Principal
from headwater.kernel.sockets.declarations import PlainSocket
from headwater.kernel.sockets.models import CloseReason
from headwater.kernel.sockets.packets import Bundle, Packet
from headwater.kernel.sockets.wire import Wire

_NOWHERE: frozenset[str] = frozenset()


class Post(Protocol):
    """Brings packets to sockets in the order they were given to it."""

    def dispatch(self, socket: "Socket", packet: Packet) -> None:
        """Bring `packet` to one socket, behind everything that was to reach it before."""
        ...

    def withdraw(self, socket: "Socket") -> None:
        """Bring nothing more to a socket: take it out of every room."""
        ...

    def write_now(self, socket: "Socket") -> None:
        """Bring to a socket at once what was to reach it."""
        ...


class Socket(ABC):
    """An admitted client that can be told things at any moment; whatever is told to one that has gone is lost.

    `id` may be known to others; `principal` may be set anew when the client has shown newer credentials; `kept` is
    the reception's own, and the kernel leaves it alone. Sockets are equal only to themselves. `wire` is the WebSocket
    that carries it, None where something else does; `form` is a plain socket's, None where it speaks Socket.IO.
    """

    __slots__ = (
        "_callbacks", "_post", "_rooms", "address", "connected", "form", "id", "kept", "path", "principal", "wire",
    )  # fmt: skip

    def __init__(self, post: Post, path: str, address: str) -> None:
        self.id = ""
        self.path = path
        self.address = address
        self.principal: Principal = NOBODY
        self.kept: object = None
        self.connected = True
        self.wire: Wire | None = None
        self.form: PlainSocket | None = None
        self._post = post
        self._rooms: set[str] | None = None
        self._callbacks: list[Callable[[], None]] | None = None

    @property
    def rooms(self) -> AbstractSet[str]:
        """The rooms it has joined."""
        return _NOWHERE if self._rooms is None else self._rooms

    @property
    @abstractmethod
    def is_behind(self) -> bool:
        """Whether a quarter of what may wait for the client does; who has much to tell lets him catch up first."""

    def emit(self, event: str, *arguments: object) -> None:
        """Tell the client of an event; a plain socket's client gets the first argument."""
        self.send(Packet(event, arguments))

    def send(self, packet: Packet) -> None:
        """Send a packet, which may go to others too."""
        if self.connected:
            self._post.dispatch(self, packet)

    @abstractmethod
    async def ask(self, event: str, *arguments: object, within: float = 10.0) -> tuple[object, ...]:
        """Tell the client of an event and return his acknowledgement; raises `NotAcknowledged` after `within` seconds.

        Plain sockets acknowledge nothing.
        """

    @abstractmethod
    def close(self, reason: CloseReason, message: str = "") -> None:
        """End it now; what was told before still leaves. `message` is told where the wire has a place for it."""

    def deliver(self, bundle: Bundle) -> None:
        """Write packets now, unless it has ended; only the post knows whether something is to go before."""
        wire = self.wire
        if wire is not None and wire.open:
            wire.transport.write(bundle.frames_for(self.form))

    def when_closed(self, callback: Callable[[], None]) -> None:
        """Call back once the socket is gone and its last message is done with; at once if that is so already."""
        if self._callbacks is None:
            self._callbacks = []
        self._callbacks.append(callback)

    def joined(self, room: str) -> bool:
        """Note that it is in a room; whether that is new. For the post, which keeps the rooms."""
        if self._rooms is None:
            self._rooms = set()
        if room in self._rooms:
            return False
        self._rooms.add(room)
        return True

    def left(self, room: str) -> bool:
        """Note that it is in a room no more; whether that is new. For the post, which keeps the rooms."""
        if self._rooms is None or room not in self._rooms:
            return False
        self._rooms.discard(room)
        if not self._rooms:
            self._rooms = None
        return True
