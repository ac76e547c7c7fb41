"""WebSockets on the port of HTTP: from a request that asks for one to the wire that takes its connection over."""

import asyncio
from collections.abc import Callable, Mapping
from time import perf_counter

import msgspec

from headwater.boot.routes import Routes
from headwater.flow import BoundEndpoint, address_of
from headwater.flow.request import Networks
from headwater.kernel.clock import Clock
from headwater.kernel.component import Access, Endpoint, Limit, Mode, Operation
from headwater.kernel.ids import new_request_id
from headwater.kernel.models import RawRequest, Reply
from headwater.kernel.observe import Observer, RequestAnswered
from headwater.kernel.sockets import Packet, Sockets
from headwater.kernel.sockets.doors import Entrance
from headwater.kernel.sockets.polling import LONGEST_HOLD
from headwater.kernel.sockets.upgrade import asks_for_websocket

FAREWELL = Packet(
    "notification",
    ({"level": "warning", "title": "Server stopping", "message": "The server is stopping: reconnect shortly"},),
)
"""What every socket hears before the server closes it."""


class Upgrade(msgspec.Struct, frozen=True):
    """A handshake that will be answered once the request has ended: with 101, or with a refusal."""

    door: str
    key: str
    subprotocol: str | None
    address: str
    began: float
    answer: Entrance | Reply


class Gate:
    """Leads upgrades to the house's sockets, and tells of each as of every other request."""

    def __init__(self, sockets: Sockets, trusted_proxies: Networks, observer: Observer, clock: Clock) -> None:
        self._sockets = sockets
        self._trusted = trusted_proxies
        self._observer = observer
        self._clock = clock

    def upgrade(
        self, method: str, version: str, target: tuple[str, str], headers: Mapping[str, str], peer: str
    ) -> Upgrade | None:
        """What becomes of a request that asks for an upgrade; `target` is its path and its query.

        None if it is a request like every other: another protocol, a handshake that is none, no door at the path.
        """
        if not asks_for_websocket(method, version, headers):
            return None
        began = perf_counter()
        path, query = target
        address = address_of(peer, headers.get("x-forwarded-for"), self._trusted) if self._trusted else peer
        answer = self._sockets.entrance(path, query, headers, address)
        if answer is None:
            return None
        offered = headers.get("sec-websocket-protocol", "").split(",")[0].strip()
        key, door = headers["sec-websocket-key"], self._sockets.declared(path)
        return Upgrade(door, key, offered or None, address, began, answer)

    def elsewhere(self, path: str, query: str) -> str | None:
        """The process of our crew that keeps what a request is about, if we do not."""
        home = self._sockets.elsewhere(path, query)
        return home if home is not None and home.isascii() and home.isdecimal() else None

    def hand_over(
        self, upgrade: Upgrade, entrance: Entrance, transport: asyncio.Transport, release: Callable[[], None]
    ) -> None:
        """Let a wire take the connection over; `release` is called when it is no more."""
        entrance(self._sockets.accept(transport, upgrade.key, upgrade.subprotocol, release))
        self.tell(upgrade, 101)

    def tell(self, upgrade: Upgrade, status: int) -> None:
        """An upgrade has been answered. Of its target only the door is told: a token may stand in the query."""
        taken, at = perf_counter() - upgrade.began, self._clock.timestamp()
        answered = RequestAnswered(
            new_request_id(), "GET", upgrade.door, status, taken, (), "nobody", upgrade.address, at=at
        )
        self._observer.tell(answered)


class Polling:
    """Requests to `/socket.io/` of clients that poll: endpoints like every other, with their limits and their log."""

    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets

    async def read(self, _tx: object, _principal: object, body: RawRequest) -> Reply:
        """Open a session, or fetch what waits for one."""
        return await self._sockets.read(body)

    async def write(self, _tx: object, _principal: object, body: RawRequest) -> Reply:
        """Take in what a client has to say."""
        return await self._sockets.write(body)


def lay_polling(
    routes: Routes, sockets: Sockets, address_limits: tuple[Limit, ...], principal_limits: tuple[Limit, ...]
) -> None:
    """Lead polling requests to every door of Socket.IO, below these limits; a fetch may wait as long as a heartbeat."""
    polling, settings = Polling(sockets), sockets.settings
    patience = settings.ping_interval + settings.ping_timeout
    for path in sockets.polled_paths:
        for method, operation, timeout in (("GET", polling.read, patience), ("POST", polling.write, LONGEST_HOLD + 10)):
            declared = Endpoint(
                method=method,
                path=path,
                operation=operation,
                access=Access.ANYONE,
                transaction=Mode.NONE,
                body=RawRequest,
                body_limit=settings.polling_bytes,
                timeout=timeout,
            )
            bound = _bound(declared, operation, address_limits, principal_limits)
            for place in (path, path.removesuffix("/")):
                routes.add(place, bound)


def _bound(
    declared: Endpoint, operation: Operation, address_limits: tuple[Limit, ...], principal_limits: tuple[Limit, ...]
) -> BoundEndpoint:
    return BoundEndpoint(
        declared=declared,
        operation=operation,
        guard=None,
        address_limits=address_limits,
        principal_limits=principal_limits,
    )
