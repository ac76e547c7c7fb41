"""One port: requests come in here and go into flow."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Generator
from math import ceil
from time import monotonic
from types import FrameType
from typing import Any, cast

import uvicorn
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from headwater.boot.settings import ServerSettings
from headwater.flow import House, Request, address_of, answer, preflight
from headwater.flow.request import Networks, Receive, is_in
from headwater.kernel.errors import Draining
from headwater.kernel.observe import ServerStarted, ServerStopping

_SWEEP = 0.5
_TOO_LARGE = 431
_BAD_REQUEST = 400


class Application:
    """The ASGI application: makes a `Request` of what comes, and writes the `Response` that flow answers.

    Keeps every running request, so that `sweep` can end those past their endpoint's timeout.
    """

    def __init__(self, house: House, trusted_proxies: Networks) -> None:
        self._house = house
        self._trusted = trusted_proxies
        self.running: dict[asyncio.Task[Any], tuple[Request, float]] = {}

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Any) -> None:
        """Answer one request."""
        request = self._request(scope, receive)
        response = preflight(self._house.settings, request)
        if response is None:
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 - for the type checker: uvicorn runs us in a task
            self.running[task] = (request, monotonic())
            try:
                response = await answer(self._house, request)
            finally:
                del self.running[task]
        await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
        await send({"type": "http.response.body", "body": response.body})

    def sweep(self) -> None:
        """Cancel every request that has run past its endpoint's timeout; it answers 504, or 408 without its body."""
        now = monotonic()
        for task, (request, began) in self.running.items():
            if now - began > request.timeout and request.ending is None:
                request.ending = request.lateness
                if request.ending is not None:
                    task.cancel()

    def drain(self) -> None:
        """Cancel every request that still runs; it answers 503."""
        for task, (request, _) in self.running.items():
            request.ending = Draining()
            task.cancel()

    def _request(self, scope: dict[str, Any], receive: Receive) -> Request:
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name = raw_name.decode("latin-1")
            value = raw_value.decode("latin-1")
            if name in headers:
                value = f"{headers[name]}{'; ' if name == 'cookie' else ', '}{value}"
            headers[name] = value
        client = scope.get("client")
        address = address_of(client[0] if client else "", headers.get("x-forwarded-for"), self._trusted)
        return Request(
            scope["method"],
            scope["raw_path"].decode("latin-1"),
            scope["query_string"].decode("latin-1"),
            headers,
            address,
            receive,
        )


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol with bounds it lacks: header bytes, header time, connections per address.

    `quiet_bytes` have come in since the parser last made something of them: it holds a header, or a trailer, until its
    end, however far away that is. The names of uvicorn it leans on are not its public face; tests/boot/test_protocol.py
    is their contract.
    """

    bounds = ServerSettings()
    trusted: Networks = ()
    per_address: dict[str, int] = {}  # noqa: RUF012 - shared by every connection on purpose

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.waiting_since = monotonic()
        self.header_bytes = self.quiet_bytes = 0
        self.address = self.client[0] if self.client else ""
        count = self.per_address.get(self.address, 0) + 1
        self.per_address[self.address] = count
        if count > self.bounds.connections_per_address and not is_in(self.address, self.trusted):
            transport.close()

    @override
    def data_received(self, data: bytes) -> None:
        self.quiet_bytes += len(data)
        super().data_received(data)
        if self.quiet_bytes > self.bounds.header_bytes and not self.transport.is_closing():
            self.header_bytes += self.quiet_bytes
            self.send_400_response("")

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        count = self.per_address.get(self.address, 0) - 1
        if count > 0:
            self.per_address[self.address] = count
        else:
            self.per_address.pop(self.address, None)

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.waiting_since = monotonic()
        self.header_bytes = self.quiet_bytes = 0

    @override
    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    @override
    def on_headers_complete(self) -> None:
        self.waiting_since = 0.0
        super().on_headers_complete()

    @override
    def on_body(self, body: bytes) -> None:
        self.quiet_bytes = 0
        super().on_body(body)

    @override
    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be parsed, in the shape of every other refusal.

        While an earlier request of the connection runs, an answer now would be taken for its own: the connection ends
        after that one.
        """
        if self._is_working() and not self.cycle.more_body:
            self.cycle.keep_alive = False
            return
        status, code = _BAD_REQUEST, "INVALID_INPUT"
        if self.header_bytes > self.bounds.header_bytes:
            status, code, msg = _TOO_LARGE, "HEADERS_TOO_LARGE", "The headers are too large"
        body = f'{{"error":"{code}","message":"{msg}","statusCode":{status}}}'.encode()
        head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()

    def sweep(self, now: float) -> None:
        """Close a connection whose headers, or whose body nobody waits for, do not come to their end."""
        if self._is_working():
            self.waiting_since = now if self.waiting_since else 0.0
        elif not self.waiting_since and self.timeout_keep_alive_task is None:
            self.waiting_since = now
        elif self.waiting_since and now - self.waiting_since > self.bounds.header_seconds:
            self.transport.close()

    def _is_working(self) -> bool:
        """Whether the next word is ours."""
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None before the first request
        return cycle is not None and not cycle.response_complete

    def _count(self, size: int) -> None:
        self.quiet_bytes = 0
        self.header_bytes += size
        if self.header_bytes > self.bounds.header_bytes:
            raise ValueError


class Server(uvicorn.Server):
    """Serves a house on one port until it is asked to stop; then finishes what runs, bounded, and takes nothing new."""

    def __init__(self, house: House, settings: ServerSettings, trusted_proxies: Networks) -> None:
        self._house = house
        self._settings = settings
        self.application = Application(house, trusted_proxies)
        protocol = type(
            "BoundedProtocol", (Protocol,), {"bounds": settings, "per_address": {}, "trusted": trusted_proxies}
        )
        super().__init__(
            uvicorn.Config(
                self.application,
                host=settings.host,
                port=settings.port,
                http=protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",  # else every malformed request is a line of its own, in another shape
                access_log=False,
                proxy_headers=False,  # it would believe X-Forwarded-For from loopback, whatever trusted_proxies says
                server_header=False,
                timeout_keep_alive=65,
                timeout_graceful_shutdown=ceil(settings.stop_within) + 1,
            )
        )

    @property
    def url(self) -> str:
        """Where it answers; the port is the real one also where 0 was asked for."""
        names: tuple[Any, ...] = self.servers[0].sockets[0].getsockname() if self.started else ("", self.config.port)
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        return f"http://{host}:{names[1]}"

    def stop(self) -> None:
        """Ask the server to drain and end."""
        if not self.should_exit:
            self._house.observer.tell(ServerStopping(running=len(self.application.running)))
        self.should_exit = True

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._house.observer.tell(ServerStarted(url=self.url))

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, let what runs finish, and after `stop_within` seconds end it with 503."""
        end = asyncio.get_running_loop().call_later(self._settings.stop_within, self.application.drain)
        try:
            await super().shutdown(sockets)
        finally:
            end.cancel()

    @override
    async def on_tick(self, counter: int) -> bool:
        if counter % int(_SWEEP * 10) == 0:
            self.application.sweep()
            now = monotonic()
            for connection in list(self.server_state.connections):
                cast("Protocol", connection).sweep(now)
        return await super().on_tick(counter)

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Take SIGINT and SIGTERM as requests to stop; uvicorn would raise them again before the house is closed."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        for each in signals:
            loop.add_signal_handler(each, self.stop)
        try:
            yield
        finally:
            for each in signals:
                loop.remove_signal_handler(each)

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.stop()
