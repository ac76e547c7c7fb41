"""What a component says of the messages it takes from sockets."""

import sys
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from headwater.kernel.errors import Refusal
from headwater.kernel.limits import Limit
from headwater.kernel.models import Access, Mode, Operation

SOCKET_IO_PATH = "/socket.io/"
"""Where the platform's sockets, and the root app's, are opened."""


class FromSocket(msgspec.Struct, frozen=True):
    """Fill a field of the body with the socket that the message came on."""


class Told(msgspec.Struct, frozen=True):
    """An event for one socket alone."""

    event: str
    payload: object


class SocketEnvelope(Protocol):
    """How a contract wraps what it says on a socket."""

    def acknowledge(self, result: object) -> object:
        """The argument of the acknowledgement that carries an operation's result."""
        ...

    def refuse(self, refusal: Refusal, asked: object) -> object:
        """The argument of the acknowledgement that carries a refusal; `asked` is the message's first argument."""
        ...

    def complain(self, refusal: Refusal, asked: object) -> Told | None:
        """What the sender hears of a refusal where he wanted no acknowledgement."""
        ...


class PlatformSocketEnvelope:
    """Results as they are; refusals as `{ok: false, error: {code, message}}`, unasked as the event `error`."""

    def acknowledge(self, result: object) -> object:
        """The result."""
        return result

    def refuse(self, refusal: Refusal, asked: object) -> object:
        """The refusal's code and sentence."""
        return {"ok": False, "error": {"code": refusal.code, "message": refusal.message}}

    def complain(self, refusal: Refusal, asked: object) -> Told | None:
        """The refusal's code and sentence, as an event."""
        return Told("error", {"code": refusal.code, "message": refusal.message})


PLATFORM_SOCKET_ENVELOPE = PlatformSocketEnvelope()


class SocketMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One event that sockets may send, and everything the pipeline must know of it.

    `operation` and `guard` are methods of the component's operations class; one operation may stand behind an endpoint
    too. `body` is a struct filled from the message's first argument, an object, or from as many arguments as
    `positions` names fields, and from `inputs`, which nothing a client sends can set; None takes nothing.
    `limits` add to the house's own.
    """

    event: str
    operation: Operation
    access: Access
    transaction: Mode
    body: type | None = None
    positions: tuple[str, ...] = ()
    guard: Operation | None = None
    inputs: Mapping[str, FromSocket] = {}
    limits: tuple[Limit, ...] = ()
    envelope: SocketEnvelope = PLATFORM_SOCKET_ENVELOPE
    timeout: float = 30.0
    """Seconds until the sender is told that it took too long."""

    @property
    def name(self) -> str:
        """The operation's qualified name, such as `Realtime.subscribe`."""
        return self.operation.__qualname__

    @property
    def method(self) -> str:
        """What stands in the place of an HTTP method, in idempotency records and metrics."""
        return "SOCKET"

    @property
    def path(self) -> str:
        """What stands in the place of a route."""
        return self.event

    @property
    def body_limit(self) -> int:
        """How many bytes its arguments may take: no more than a frame, which is bounded before it comes so far."""
        return sys.maxsize


class Acknowledged(msgspec.Struct, frozen=True):
    """A result that has something to send after it: `then()` is called right behind the acknowledgement.

    Nothing else is written to the socket in between.
    """

    result: object
    then: Callable[[], None]


class PlainSocket(msgspec.Struct, frozen=True, kw_only=True):
    """A path where WebSockets are opened that speak no Socket.IO: each frame is one JSON object.

    `event_field` names the field that says which message it is, `payload_field` the one that holds its argument; with
    None the other fields of the frame are the argument. `id_field` names the field that asks for an acknowledgement
    and comes back in it.
    """

    path: str
    event_field: str = "type"
    payload_field: str | None = None
    id_field: str | None = "id"
    messages: tuple[SocketMessage, ...] = ()
    access: Access = Access.ANYONE
    """Who may open it."""
    welcome: Operation | None = None
    """Done for every client that was admitted, before its first message.

    `await welcome(transactions, socket, handshake)`; what is asked for when a socket is opened stands in its query.
    """
    envelope: SocketEnvelope = PLATFORM_SOCKET_ENVELOPE
    """How clients are told of what no declared message answers for."""
