"""What a component says of itself: its endpoints, jobs, consumers, limits and checks."""

import inspect
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Protocol, runtime_checkable

import msgspec

from headwater.kernel.cache import Warming
from headwater.kernel.clock import encode
from headwater.kernel.errors import Refusal
from headwater.kernel.events import Consumer, Follower
from headwater.kernel.jobs import Job, Timer
from headwater.kernel.limits import Limit
from headwater.kernel.models import Access, Event, Mode, Operation, Reply
from headwater.kernel.observe import ComponentObservation
from headwater.kernel.sockets.declarations import PlainSocket, SocketEnvelope, SocketMessage


class FromHeader(msgspec.Struct, frozen=True):
    """Fill a field of the body from the named header (lower-case)."""

    name: str


class FromCookie(msgspec.Struct, frozen=True):
    """Fill a field of the body from the named cookie."""

    name: str


class FromAddress(msgspec.Struct, frozen=True):
    """Fill a field of the body with the caller's address."""


Source = FromHeader | FromCookie | FromAddress


class Envelope(Protocol):
    """How a contract wraps what it answers."""

    def answer(self, result: object, status: int) -> Reply:
        """The reply that carries an operation's result."""
        ...

    def refuse(self, refusal: Refusal) -> Reply:
        """The reply that carries a refusal."""
        ...


@runtime_checkable
class DescribedEnvelope(Protocol):
    """An envelope that says how its results lie in it, for the OpenAPI description; without, as they are."""

    def describe(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The JSON Schema of an answer whose result has this one."""
        ...


class PlatformEnvelope:
    """Results as they are; refusals as `{error, message, statusCode, nextActions?}` (contracts/platform.md 1.1)."""

    def answer(self, result: object, status: int) -> Reply:
        """The result as JSON; a `Reply` passes through untouched."""
        if isinstance(result, Reply):
            return result
        return Reply(status=status, body=encode(result))

    def refuse(self, refusal: Refusal) -> Reply:
        """The refusal's code, sentence and status as JSON."""
        told: dict[str, object] = {
            "error": refusal.code,
            "message": refusal.message,
            "statusCode": refusal.status,
        }
        if refusal.next_actions:
            told["nextActions"] = refusal.next_actions
        return Reply(status=refusal.status, headers=tuple(refusal.headers.items()), body=encode(told))


PLATFORM_ENVELOPE = PlatformEnvelope()
MEBIBYTE = 1024 * 1024


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One route and everything the pipeline must know of it.

    `path` may hold `{name}` segments. `operation` and `guard` are methods of the component's operations class.
    `body` is a struct filled from the JSON body, the query string, the path's parameters and `inputs`, each later
    one winning; `RawRequest` takes the request as it came; None takes nothing. `limits` add to the house's own.
    `reply` turns a result into its wire form where the envelope's plain JSON will not do (cookies, redirects).
    """

    method: str
    path: str
    operation: Operation
    access: Access
    transaction: Mode
    body: type | None = None
    guard: Operation | None = None
    inputs: Mapping[str, Source] = {}
    limits: tuple[Limit, ...] = ()
    status: int = 200
    result: object = None
    """The type of the result, for the OpenAPI description."""
    partial: bool = False
    """Whether the same type of result is also answered with 206, as a part of what there is."""
    media_types: tuple[str, ...] = ("application/json",)
    envelope: Envelope = PLATFORM_ENVELOPE
    reply: Callable[[object], Reply] | None = None
    body_limit: int = MEBIBYTE
    spooled: bool = False
    """Whether a large body waits in a temporary file and not in memory; for `RawRequest` alone."""
    timeout: float = 30.0
    """Seconds until the caller is told 504."""
    x_rate_limit: bool = False
    """Whether the limit is told in the older `X-RateLimit-*` headers too, the reset as a moment in ISO 8601."""
    local_only: bool = False
    """Whether callers from other machines need admin credentials."""

    @property
    def name(self) -> str:
        """The operation's qualified name, such as `Identity.sign_in`."""
        return self.operation.__qualname__


class HealthCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A part whose health is asked for; the operation returns normally if it is well, raises if not."""

    name: str
    operation: Operation
    essential: bool = True
    """Whether the server is not ready without it."""


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What a component tells the admin of itself, under this name in `/api/metadata`.

    `await operation(tx, principal, None)` looks and changes nothing; all are told of one moment.
    """

    name: str
    operation: Operation


class Page(msgspec.Struct, frozen=True):
    """Files for browsers: `index.html` answers for the folder it lies in, every other file by its name.

    The folder lies in `package`, or in the component's own; `web/…` of the package `headwater` is the repository's.
    Names that begin with a dot are left out.
    """

    folder: str = "page"
    package: str | None = None


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """A folder under platform/ or apps/, declared.

    `operations` is a frozen dataclass whose fields boot fills by their types, or several, one for each noun; `schemas`
    are the Postgres schemas it owns; `events` and `refusals` are what its modules hold, for the reference.
    """

    name: str
    package: str
    operations: type[Any] | tuple[type[Any], ...]
    endpoints: tuple[Endpoint, ...] = ()
    messages: tuple[SocketMessage, ...] = ()
    """What Socket.IO clients may send it."""
    sockets: tuple[PlainSocket, ...] = ()
    resume: Operation | None = None
    """Says what a Socket.IO client goes on with: `await resume(transactions, principal, handshake) -> Resumed`."""
    welcome: Operation | None = None
    """Done for every Socket.IO client that was admitted, before its first message.

    `await welcome(transactions, socket, state)`; the state is what `resume` said, None where nobody did.
    """
    socket_envelope: SocketEnvelope | None = None
    """How Socket.IO clients are told of what no declared message answers for."""
    jobs: tuple[Job, ...] = ()
    timers: tuple[Timer, ...] = ()
    consumers: tuple[Consumer, ...] = ()
    followers: tuple[Follower, ...] = ()
    health_checks: tuple[HealthCheck, ...] = ()
    warmings: tuple[Warming, ...] = ()
    """What it loads ahead, at the start and every few minutes."""
    descriptions: tuple[Description, ...] = ()
    envelopes: Mapping[str, Envelope] = {}
    """How it is told, below each of these paths, that no endpoint answers there."""
    page: Page | None = None
    """What browsers are shown at `/apps/<name>/`, and at `/<name>/` where the platform shows it."""
    schemas: tuple[str, ...] = ()
    events: tuple[type[Event], ...] = ()
    observations: tuple[type[ComponentObservation], ...] = ()
    """What it tells the observer, and the metrics made of that."""
    errors: ModuleType | None = None

    @property
    def operation_classes(self) -> tuple[type[Any], ...]:
        """The classes whose methods its declarations name."""
        return self.operations if isinstance(self.operations, tuple) else (self.operations,)

    @property
    def card(self) -> str:
        """What it is for: the first paragraph of its package's docstring, on one line."""
        package = sys.modules.get(self.package)
        return " ".join((inspect.getdoc(package) or "").split("\n\n")[0].split())


class Components(tuple[Component, ...]):
    """Every component of this house, in the order they start."""

    __slots__ = ()
