"""A request as it arrives and a response as it leaves."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address
from mmap import mmap
from time import perf_counter
from typing import Any, Protocol

from headwater.flow.spool import Spool
from headwater.kernel.errors import BodyTooLarge, InvalidInput, Refusal, TimedOut, TooSlow
from headwater.kernel.ids import new_request_id
from headwater.kernel.limits import Allowance

Receive = Callable[[], Awaitable[Any]]
Headers = list[tuple[bytes, bytes]]
Networks = Collection[IPv4Network | IPv6Network]
_AFTER_COMMIT = frozenset({"invalidate", "publish", "respond"})


class Request:
    """One request on its way.

    `path` is still percent-encoded; header names are lower-case; `parameters` are filled by the route. `stages` are
    the names of the stages entered, each with the time it was entered at, in seconds of `perf_counter`. Whoever cancels
    the work says in `ending` what the caller is to be told.
    """

    __slots__ = (
        "_body",
        "_receive",
        "address",
        "allowance",
        "began",
        "ending",
        "headers",
        "id",
        "method",
        "parameters",
        "path",
        "principal_key",
        "query",
        "stages",
        "timeout",
    )

    def __init__(
        self, method: str, path: str, query: str, headers: Mapping[str, str], address: str, receive: Receive
    ) -> None:
        self.id = new_request_id()
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.address = address
        self.parameters: dict[str, str] = {}
        self.allowance: Allowance | None = None
        self.principal_key = "nobody"
        self.began = perf_counter()
        self.stages: list[tuple[str, float]] = []
        self.timeout = 30.0
        self.ending: Refusal | None = None
        self._receive = receive
        self._body: bytes | None = None

    def enters(self, stage: str) -> None:
        """Note that a stage begins, and the one before it ends."""
        self.stages.append((stage, perf_counter()))

    @property
    def lateness(self) -> Refusal | None:
        """What a caller is told whose time is over; None once the work is committed, and only the answer is missing."""
        stage = self.stages[-1][0] if self.stages else ""
        if stage in _AFTER_COMMIT:
            return None
        return TooSlow(seconds=self.timeout) if stage == "validate" else TimedOut(seconds=self.timeout)

    async def body(self, limit: int) -> bytes:
        """The whole body, read once; raises `BodyTooLarge` past `limit` bytes, before holding them.

        The connection stays open: closed with unread bytes in it, it would take the answer with it.
        """
        if self._body is None:
            self._must_be_within(limit)
            self._body = await self._read(limit)
        return self._body

    async def spooled(self, limit: int) -> bytes | mmap:
        """The whole body, as `body` gives it, but a large one as a file that is gone with it; to be asked for once."""
        self._must_be_within(limit)
        spool = Spool()
        size, more = 0, True
        try:
            while more:
                part, more = await self._part(limit - size, limit)
                size += len(part)
                await spool.take(part)
            return await spool.whole()
        finally:
            spool.close()

    async def hung_up(self) -> None:
        """Return once the connection has ended; what comes of the body until then is dropped."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _read(self, limit: int) -> bytes:
        part, more = await self._part(limit, limit)
        parts, size = [part], len(part)
        while more:
            part, more = await self._part(limit - size, limit)
            parts.append(part)
            size += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _part(self, room: int, limit: int) -> tuple[bytes, bool]:
        """The next part of the body, which may fill the room that is left, and whether there is more."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise InvalidInput(reason="The connection ended before the body did")
        part = message.get("body", b"")
        if len(part) > room:
            raise BodyTooLarge(limit=limit)
        return part, bool(message.get("more_body"))

    def _must_be_within(self, limit: int) -> None:
        declared = self.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            raise BodyTooLarge(limit=limit)


class Response:
    """An answer in its wire form; `sent` is as in `Reply`."""

    __slots__ = ("body", "headers", "sent", "status")

    def __init__(self, status: int, headers: Headers, body: bytes, sent: Callable[[bool], None] | None = None) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.sent = sent


class Stream(Protocol):
    """Parts of a body, one after the other, until it is closed."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Itself."""
        ...

    async def __anext__(self) -> bytes:
        """The next part."""
        ...

    async def aclose(self) -> None:
        """Let go of what the parts come from."""
        ...


class StreamedResponse(Response):
    """An answer whose body goes on with `stream`; whoever sends it closes that in every case."""

    __slots__ = ("stream",)

    def __init__(self, status: int, headers: Headers, body: bytes, stream: Stream) -> None:
        super().__init__(status, headers, body)
        self.stream = stream


def address_of(peer: str, forwarded: str | None, trusted: Networks) -> str:
    """The caller's address: `X-Forwarded-For` is believed only as far as configured proxies wrote it.

    Walks from the right, over trusted proxies, to the first address that is none; a malformed entry ends the walk.
    """
    if not forwarded or not trusted or not is_in(peer, trusted):
        return peer
    address = peer
    for entry in reversed(forwarded.split(",")):
        try:
            address = str(ip_address(entry.strip()))
        except ValueError:
            return address
        if not is_in(address, trusted):
            return address
    return address


def is_in(address: str, networks: Networks) -> bool:
    """Whether an address lies in one of the networks."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)
