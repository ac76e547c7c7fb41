"""A small house: real flow, real server, a real database where one is given, and endpoints that the test declares."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import msgspec

from headwater.boot.application import Application
from headwater.boot.routes import Routes
from headwater.boot.server import Server
from headwater.boot.settings import ServerSettings
from headwater.flow import BoundEndpoint, FlowSettings, Request
from headwater.flow.request import Networks
from headwater.kernel.clock import DrivenClock
from headwater.kernel.component import Access, Endpoint, Envelope, Limit, Mode
from headwater.kernel.database import Database
from headwater.kernel.errors import InvalidToken
from headwater.kernel.limits import MemoryLimiter
from headwater.kernel.models import CacheKey, Effects
from headwater.kernel.observe import Observation, Observer, RequestAnswered
from headwater.kernel.principal import NOBODY, Principal, principal_from_claims

USER = principal_from_claims({"sub": "7", "role": "authenticated", "email": "user@example.com"})
OTHER = principal_from_claims({"sub": "8", "role": "authenticated"})
ADMIN = principal_from_claims({"sub": "root", "role": "project_admin"})
ANON = principal_from_claims({"role": "anon"})


class ScriptedAuthenticator:
    """Knows the bearers of `tokens`; anything else is a bad token."""

    def __init__(self) -> None:
        self.tokens: dict[str, Principal] = {"user": USER, "other": OTHER, "admin": ADMIN, "anon": ANON}
        self.failure: Exception | None = None

    async def authenticate(self, headers: Mapping[str, str], *, patient: bool = True) -> Principal:
        """The principal whose name is the token, or the key that wins over it."""
        if self.failure is not None:
            raise self.failure
        header = headers.get("x-api-key") or headers.get("authorization")
        if header is None:
            return NOBODY
        principal = self.tokens.get(header.removeprefix("Bearer "))
        if principal is None:
            raise InvalidToken
        return principal


class Answer(msgspec.Struct, frozen=True):
    """What a caller gets; header names are lower-case, those that came twice are joined by a comma."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class SmallHouse:
    """Satisfies `flow.House`; `forgotten` and `told` are what its transactions left behind."""

    def __init__(
        self,
        *endpoints: Endpoint,
        database: Database | None = None,
        settings: FlowSettings | None = None,
        trusted: Networks = (),
        clock: DrivenClock | None = None,
    ) -> None:
        self.settings = settings or FlowSettings()
        self.observations: list[Observation] = []
        self.observer = Observer(self.observations.append)
        self.clock = clock or DrivenClock()
        self._database = database
        self.limiter = MemoryLimiter(self.clock.timestamp)
        self.authenticator = ScriptedAuthenticator()
        self.trusted = trusted
        self.forgotten: list[CacheKey] = []
        self.told: list[Effects] = []
        self.aftermath_failure: Exception | None = None
        self.trail: list[str] = []
        self.routes = Routes((endpoint.path, self._bound(endpoint)) for endpoint in endpoints)
        self.application = Application(self, trusted)

    @property
    def database(self) -> Database:
        """The test's database; nothing, for tests whose endpoints need none."""
        return cast("Database", self._database)

    def endpoint(self, request: Request) -> BoundEndpoint:
        """The endpoint of the request."""
        return self.routes.find(request)

    def envelope(self, path: str) -> Envelope:
        """The platform's, unless the test lays another."""
        return self.routes.envelope(path)

    async def forget(self, keys: Sequence[CacheKey]) -> None:
        """Remember what was forgotten."""
        self.trail.append("forget")
        if self.aftermath_failure is not None:
            raise self.aftermath_failure
        self.forgotten += keys

    async def tell(self, effects: Effects) -> None:
        """Remember what was told."""
        self.trail.append("tell")
        if self.aftermath_failure is not None:
            raise self.aftermath_failure
        self.told.append(effects)

    @property
    def answered(self) -> RequestAnswered:
        """The observation of the last answer."""
        return [seen for seen in self.observations if isinstance(seen, RequestAnswered)][-1]

    @property
    def stages(self) -> list[str]:
        """The stages that the last request passed."""
        return [name for name, _ in self.answered.stages]

    def seen(self, kind: type[Observation]) -> list[Any]:
        """The observations of one kind."""
        return [observation for observation in self.observations if isinstance(observation, kind)]

    async def call(
        self,
        method: str,
        target: str,
        body: object = b"",
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        peer: str = "203.0.113.9",
    ) -> Answer:
        """Ask in process; a `body` that is not bytes is sent as JSON, a list of bytes in chunks without a length."""
        chunks = cast("list[bytes | None]", body) if isinstance(body, list) else None
        whole = body if isinstance(body, bytes) else msgspec.json.encode(body)
        path, _, query = target.partition("?")
        told = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()]
        if token is not None:
            told.append((b"authorization", b"Bearer " + token.encode()))
        if chunks is None and whole:
            told.append((b"content-length", b"%d" % len(whole)))
        left = [whole] if chunks is None else list(chunks)
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0)
            chunk = left.pop(0) if left else None
            if chunk is None:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": chunk, "more_body": bool(left)}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {
            "method": method,
            "raw_path": path.encode("latin-1"),
            "query_string": query.encode("latin-1"),
            "headers": told,
            "client": (peer, 50000),
        }
        await self.application(scope, receive, send)
        return Answer(sent[0]["status"], _joined(sent[0]["headers"]), sent[1]["body"])

    def _bound(self, endpoint: Endpoint) -> BoundEndpoint:
        count = self.settings.requests_per_minute
        return BoundEndpoint(
            declared=endpoint,
            operation=endpoint.operation,
            guard=endpoint.guard,
            address_limits=(
                Limit(name="address", count=count, seconds=60),
                *(each for each in endpoint.limits if each.by == "address"),
            ),
            principal_limits=(
                Limit(name="principal", count=count, seconds=60, by="principal"),
                *(each for each in endpoint.limits if each.by == "principal"),
            ),
        )


async def nothing(*_arguments: object) -> object:
    """An operation that answers an empty object."""
    return {}


def endpoint(method: str, path: str, operation: Any = nothing, **declared: Any) -> Endpoint:
    """An endpoint anyone may call, without a transaction, unless declared otherwise."""
    told: dict[str, Any] = {"access": Access.ANYONE, "transaction": Mode.NONE} | declared
    return Endpoint(method=method, path=path, operation=operation, **told)


class Wire:
    """A raw connection to a server: what goes over it is the test's own affair."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, *parts: bytes | str) -> None:
        """Write bytes as they are."""
        for part in parts:
            self._writer.write(part.encode() if isinstance(part, str) else part)
        await self._writer.drain()

    async def ask(self, target: str, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
        """Send a request that is well formed, and read its answer."""
        lines = [
            f"{method} {target} HTTP/1.1",
            "host: test",
            *(f"{n.replace('_', '-')}: {v}" for n, v in headers.items()),
        ]
        if body:
            lines.append(f"content-length: {len(body)}")
        await self.send("\r\n".join(lines), "\r\n\r\n", body)
        return await self.answer(head=method == "HEAD")

    async def answer(self, *, head: bool = False) -> Answer:
        """The next answer."""
        async with asyncio.timeout(30):
            status = (await self._reader.readuntil(b"\r\n")).split()[1]
            headers: list[tuple[bytes, bytes]] = []
            while (line := (await self._reader.readuntil(b"\r\n")).strip()) != b"":
                name, _, value = line.partition(b":")
                headers.append((name.lower(), value.strip()))
            told = _joined(headers)
            size = 0 if head else int(told.get("content-length", "0"))
            return Answer(int(status), told, await self._reader.readexactly(size))

    async def rest(self) -> bytes:
        """Everything until the server closes; an abort counts as an end."""
        async with asyncio.timeout(30):
            try:
                return await self._reader.read()
            except ConnectionError:
                return b""

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return


class Serving:
    """A running server and the wires to it."""

    def __init__(self, server: Server, task: asyncio.Task[None]) -> None:
        self.server = server
        self.task = task
        self.port = int(server.url.rpartition(":")[2])
        self.wires: list[Wire] = []

    async def wire(self) -> Wire:
        """A new connection."""
        wire = Wire(*await asyncio.open_connection("127.0.0.1", self.port))
        self.wires.append(wire)
        return wire


@asynccontextmanager
async def serving(house: SmallHouse, settings: ServerSettings | None = None) -> AsyncGenerator[Serving]:
    """The house on a free port of 127.0.0.1, for the length of a block."""
    server = Server(house, settings or ServerSettings(port=0, stop_within=1), house.trusted)
    house.application = server.application
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn rings no bell
        await asyncio.sleep(0.005)
    running = Serving(server, task)
    try:
        yield running
    finally:
        for wire in running.wires:
            await wire.close()
        server.stop()
        await task


def _joined(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in headers:
        text = value.decode("latin-1")
        key = name.decode("latin-1")
        joined[key] = f"{joined[key]}, {text}" if key in joined else text
    return joined
