"""What the flow needs of the house; boot's classes satisfy it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Protocol

import msgspec

from headwater.flow.request import Request
from headwater.kernel.clock import Clock
from headwater.kernel.component import Endpoint, Envelope, Operation, SocketMessage
from headwater.kernel.database import Database
from headwater.kernel.limits import Limit, Limiter
from headwater.kernel.models import CacheKey, Effects, Reply
from headwater.kernel.observe import Observer
from headwater.kernel.principal import Principal
from headwater.kernel.sockets import Handshake, Resumed, Socket, SocketEnvelope


class FlowSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_FLOW_*: what every request meets."""

    requests_per_minute: Annotated[int, msgspec.Meta(ge=1)] = 6000
    """Of one address, and of one principal; at most so many at once."""
    sockets_per_minute: Annotated[int, msgspec.Meta(ge=1)] = 6000
    """That one address may open; at most so many at once."""
    messages_per_minute: Annotated[int, msgspec.Meta(ge=1)] = 60_000
    """Of one principal, on all his sockets; at most so many at once."""
    limits_factor: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    """What the limits that endpoints and messages declare are multiplied by; above 1 for load from one machine."""
    allowed_origins: tuple[str, ...] = ()
    """Origins that may send credentials, besides loopback."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks whose X-Forwarded-For is believed."""
    server_timing: bool = False
    """Whether everyone, not only the admin, is told the time spent in each stage."""
    gzip_from: int = 8192
    """Bodies of at least so many bytes are compressed for who accepts it."""
    only_allowed_origins: bool = False
    """Whether pages of origins that are not listed may not even read what anybody may."""
    trace_header: str | None = None
    """A request header that every answer repeats, such as `X-Trace-Id`."""


class BoundEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint with its operation and guard bound to the component's instance, ready to run."""

    declared: Endpoint
    operation: Operation
    guard: Operation | None
    address_limits: tuple[Limit, ...]
    principal_limits: tuple[Limit, ...]

    def shape(self, result: object) -> Reply:
        """The wire form of a result: the endpoint's own, or its envelope's."""
        if isinstance(result, Reply):
            return result
        if self.declared.reply is not None:
            return self.declared.reply(result)
        return self.declared.envelope.answer(result, self.declared.status)


class BoundMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A socket's message with its operation and guard bound to the component's instance, ready to run."""

    declared: SocketMessage
    operation: Operation
    guard: Operation | None
    limits: tuple[Limit, ...]

    def shape(self, result: object) -> Reply:
        """The acknowledgement that carries a result, as JSON."""
        if isinstance(result, Reply):
            return result
        return Reply(body=_encode(self.declared.envelope.acknowledge(result)))


Bound = BoundEndpoint | BoundMessage
_encode = msgspec.json.Encoder().encode


class Authenticator(Protocol):
    """Knows who is asking."""

    async def authenticate(self, headers: Mapping[str, str], *, patient: bool = True) -> Principal:
        """The principal the credentials in these headers stand for; `NOBODY` where there are none.

        Where it is in doubt what others have revoked, whoever is `patient` waits a moment for the news; whoever acts on
        the news is not. Raises the 401 refusals for credentials that are not good.
        """
        ...


class House(Protocol):
    """Everything a request meets on its way."""

    @property
    def settings(self) -> FlowSettings:
        """What every request meets."""
        ...

    @property
    def observer(self) -> Observer:
        """Hears of every answer."""
        ...

    @property
    def clock(self) -> Clock:
        """What time it is."""
        ...

    @property
    def database(self) -> Database:
        """Where transactions come from."""
        ...

    @property
    def limiter(self) -> Limiter:
        """Counts requests."""
        ...

    @property
    def authenticator(self) -> Authenticator:
        """Knows who is asking."""
        ...

    def endpoint(self, request: Request) -> BoundEndpoint:
        """The endpoint of the request's method and path, whose parameters it fills in.

        Raises `UnknownEndpoint` and `WrongMethod`.
        """
        ...

    def envelope(self, path: str) -> Envelope:
        """How refusals are told below a path where no endpoint answers."""
        ...

    async def forget(self, keys: Sequence[CacheKey]) -> None:
        """Return once nobody finds an old value under these keys."""
        ...

    async def tell(self, effects: Effects) -> None:
        """Hurry what is durable, and tell what is not."""
        ...


class SocketHouse(House, Protocol):
    """Everything a socket meets on its way."""

    @property
    def socket_limits(self) -> tuple[Limit, ...]:
        """How often one address may open a socket."""
        ...

    def message(self, path: str, event: str) -> BoundMessage:
        """What answers to an event on the sockets of a path; raises `UnknownMessage`."""
        ...

    def socket_envelope(self, path: str) -> SocketEnvelope:
        """How refusals are told on the sockets of a path where no declared message answers."""
        ...

    async def resume(self, principal: Principal, handshake: Handshake) -> Resumed | None:
        """What a client that was admitted goes on with."""
        ...

    def recognise(self, socket: Socket) -> None:
        """Let a socket whose principal was asked for again hear what its user is told, and nobody else's."""
        ...

    async def welcome(self, socket: Socket, resumed: Resumed | None) -> None:
        """Let every component do what it does for a socket that was admitted."""
        ...
