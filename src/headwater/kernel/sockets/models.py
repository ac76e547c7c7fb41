"""What sockets are told and tell: settings, handshakes, messages, and why one is closed."""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Annotated, Generic, Literal, TypeVar

import msgspec

from headwater.kernel.principal import Principal

Carrier = Literal["websocket", "polling"]
Positive = Annotated[int, msgspec.Meta(ge=1)]
T = TypeVar("T")
Seconds = Annotated[float, msgspec.Meta(gt=0)]


class SocketSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_SOCKET_*: what bounds every socket; times in seconds."""

    frame_bytes: Positive = 65536
    """Of one message that a client sends, its binary attachments included."""
    write_buffer: Positive = 1024 * 1024
    """Bytes that may wait for a client; one that reads too slowly for that is dropped."""
    ping_interval: Seconds = 25.0
    ping_timeout: Seconds = 20.0
    """How long a client may leave a ping unanswered."""
    admission_seconds: Seconds = 20.0
    """How long a socket may stay open before it says who it is."""
    messages_per_second: Positive = 200
    """Of one socket; as many may come at once. Twice as many, and it is closed."""
    waiting_messages: Positive = 64
    """Of one socket: beyond that nothing more is read from it, and beyond sixteen times that it is closed."""
    polling_bytes: Positive = 256 * 1024
    """Of one request of a client that polls."""
    polling_packets: Positive = 1000
    """That may wait for a client that polls."""
    per_address: Positive = 1000
    """Sockets of one address; behind trusted proxies, of the address they tell."""


class CloseReason(StrEnum):
    """Why a socket is closed."""

    CLIENT = "client"
    """The client wished it."""
    LOST = "lost"
    """The connection broke."""
    SILENT = "silent"
    """A ping was not answered."""
    SLOW = "slow"
    """The client did not read what was sent."""
    MALFORMED = "malformed"
    NOT_TEXT = "not_text"
    """A text frame held no UTF-8."""
    OVERSIZED = "oversized"
    FREQUENT = "frequent"
    UNADMITTED = "unadmitted"
    """Nobody it let in, or nobody who said in time who he is."""
    EXPIRED = "expired"
    """The credentials it was admitted with have run out."""
    REVOKED = "revoked"
    """The credentials it was admitted with were taken back."""
    FAILED = "failed"
    """Something nobody foresaw."""
    SHUTDOWN = "shutdown"

    @property
    def code(self) -> int:
        """The WebSocket close code (RFC 6455 7.4.1)."""
        return _CODES[self]

    @property
    def is_final(self) -> bool:
        """Whether a client that comes back with the same credentials would come in vain."""
        return self in _FINAL

    @property
    def is_the_clients(self) -> bool:
        """Whether what the client sent before is still carried out."""
        return self in (CloseReason.CLIENT, CloseReason.LOST, CloseReason.SILENT, CloseReason.SLOW)


_CODES = {
    CloseReason.CLIENT: 1000,
    CloseReason.LOST: 1006,
    CloseReason.SILENT: 1001,
    CloseReason.SLOW: 1008,
    CloseReason.MALFORMED: 1002,
    CloseReason.NOT_TEXT: 1007,
    CloseReason.OVERSIZED: 1009,
    CloseReason.FREQUENT: 1008,
    CloseReason.UNADMITTED: 1008,
    CloseReason.EXPIRED: 1008,
    CloseReason.REVOKED: 1008,
    CloseReason.FAILED: 1011,
    CloseReason.SHUTDOWN: 1001,
}
_FINAL = frozenset({CloseReason.UNADMITTED, CloseReason.REVOKED})


class Handshake(msgspec.Struct, frozen=True, kw_only=True):
    """How a socket was opened.

    `query` holds each name's last value, `headers` lower-case names. `auth` is what a client says of himself inside
    the connection: the object of a Socket.IO CONNECT packet, or the first frame of a plain socket; None if nothing.
    """

    path: str
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    address: str = ""
    carrier: Carrier = "websocket"
    auth: Mapping[str, object] | None = None

    @property
    def subprotocols(self) -> list[str]:
        """What the client offered in `Sec-WebSocket-Protocol`, in his order."""
        offered = self.headers.get("sec-websocket-protocol", "")
        return [word.strip() for word in offered.split(",") if word.strip()]


class Resumed(msgspec.Struct, frozen=True):
    """What a client goes on with: a `secret` that he may show when he comes back, and what the reception makes of it.

    Socket.IO calls the secret `pid`; its client shows it again by itself, and says that it has recovered if it is given
    the same (connection state recovery).
    """

    secret: str
    state: object


class Admission(msgspec.Struct, frozen=True):
    """Who opens a socket, and what he goes on with."""

    principal: Principal
    resumed: Resumed | None = None


class Incoming(msgspec.Struct, frozen=True):
    """One message of a client; binary attachments stand among the arguments as `bytes`.

    `id` is what the client's acknowledgement must carry; None if he wants none. Where `may_hold_nul` is false, no text
    among the arguments holds a NUL character.
    """

    event: str
    arguments: tuple[object, ...] = ()
    id: object = None
    may_hold_nul: bool = False

    @property
    def wants_ack(self) -> bool:
        """Whether the client waits for an acknowledgement."""
        return self.id is not None


class Acknowledgement(msgspec.Struct, frozen=True):
    """The arguments a message is acknowledged with; unsent if the client wants none.

    `then()` is called right behind it: nothing else is written to the socket in between.
    """

    arguments: tuple[object, ...] = ()
    then: Callable[[], None] | None = None


class Underway(msgspec.Struct, Generic[T], frozen=True):
    """What is settled but for its `outcome`: the socket's next messages of the same event need not wait for that.

    They are begun one after the other all the same, and acknowledged in the order in which they were sent; a message of
    another event waits until all of these have their outcome.
    """

    outcome: Awaitable[T]
