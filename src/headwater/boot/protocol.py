"""HTTP/1.1 on one connection: uvicorn's protocol with bounds it lacks, and a shorter way out."""

import asyncio
from contextlib import aclosing
from functools import partial
from time import monotonic
from typing import Any, cast

import httptools
from typing_extensions import override
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from headwater.boot.application import Application, add_header
from headwater.boot.settings import ServerSettings
from headwater.boot.sockets import Gate, Upgrade
from headwater.flow import Response, StreamedResponse
from headwater.flow.request import Networks, is_in
from headwater.kernel.models import Reply

_CLOSE = (b"connection", b"close")
_CHUNKED = (b"transfer-encoding", b"chunked")
_TOO_LARGE = 431
_BAD_REQUEST = 400
_LONG = 64 * 1024
"""Bytes from which on one more call costs less than a copy."""


class Exchange:
    """One request of a connection and its answer.

    Takes the place of uvicorn's cycle, in the words its protocol knows; between it and flow there is no ASGI. That
    spares a scope, a check of every header by regex and a second write: a third of what HTTP costs a small answer.
    """

    __slots__ = (
        "_chunks",
        "_connection",
        "_fields",
        "_has_news",
        "_method",
        "_path",
        "_query",
        "_waiting",
        "body",
        "disconnected",
        "keep_alive",
        "more_body",
        "response_complete",
        "task",
    )

    def __init__(self, connection: "Protocol", target: bytes, fields: dict[str, str]) -> None:
        parser = cast("httptools.HttpRequestParser", connection.parser)  # None only once the connection is lost
        self._connection = connection
        self._method = parser.get_method().decode("ascii")
        self._path, self._query = _split(target)
        self._fields = fields
        self.body = bytearray()
        self.more_body = True
        self.task: asyncio.Task[None] | None = None
        self._has_news = False
        self._waiting: asyncio.Future[None] | None = None
        self.disconnected = False
        self.response_complete = False
        self._chunks = parser.get_http_version() != "1.0"
        self.keep_alive = self._chunks and parser.should_keep_alive()

    @property
    def message_event(self) -> "Exchange":
        """What uvicorn's protocol sets when something has come: the exchange, which spares most requests an Event."""
        return self

    def set(self) -> None:
        """Wake up whoever waits for more of the body."""
        self._has_news = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def run_asgi(self, application: Application) -> None:
        """Answer the request; what nobody foresaw ends the connection."""
        connection = self._connection
        try:
            response = await application.respond(
                self._method, self._path, self._query, self._fields, connection.address, self._receive, self.task
            )
            if connection.flow.write_paused and not self.disconnected:
                await connection.flow.drain()
            if isinstance(response, StreamedResponse):
                await self._stream(response)
                return
        except BaseException:
            connection.transport.close()
            raise
        finally:
            connection.tasks.discard(cast("asyncio.Task[None]", self.task))
        if not self.disconnected:
            self._write(response)

    async def _receive(self) -> dict[str, Any]:
        """What has come of the body since the last call; waits for more if nothing has."""
        connection = self._connection
        if self._fields.get("expect", "").lower() == "100-continue" and not connection.transport.is_closing():
            connection.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._fields["expect"] = ""
        if not self.disconnected:
            connection.flow.resume_reading()
            if not self._has_news:
                self._waiting = connection.loop.create_future()
                await self._waiting
            self._has_news = False
        if self.disconnected:
            return {"type": "http.disconnect"}
        body, self.body = self.body, bytearray()
        return {"type": "http.request", "body": bytes(body), "more_body": self.more_body}

    async def _stream(self, response: StreamedResponse) -> None:
        """Write an answer as it is made, no faster than the client takes it.

        One that stops taking it, and one that breaks, ends with the connection: without the last chunk a client sees
        that it is not whole (RFC 9112 8).
        """
        connection = self._connection
        async with aclosing(response.stream):
            if self.disconnected:
                return
            if self._method == "HEAD":
                self._write(response)
                return
            try:
                if self._chunks:
                    response.headers.append(_CHUNKED)
                connection.transport.write(self._head(response))
                self._write_part(response.body)
                async for part in response.stream:
                    self._write_part(part)
                    if connection.flow.write_paused and not self.disconnected:
                        async with asyncio.timeout(connection.bounds.reader_seconds):
                            await connection.flow.drain()
                    if self.disconnected:
                        return
            except Exception:  # noqa: BLE001 - flow has told of it; the client learns it by the missing end
                connection.transport.abort()
                return
        if self._chunks:
            connection.transport.write(b"0\r\n\r\n")
        self._end()

    def _write_part(self, part: bytes) -> None:
        if part and self._chunks:
            part = b"%x\r\n%b\r\n" % (len(part), part)
        if part:
            self._connection.transport.write(part)

    def _write(self, response: Response) -> None:
        """Write the whole answer; a long body is not copied for the sake of a single write."""
        head = self._head(response)
        body = b"" if self._method == "HEAD" else response.body
        if len(body) < _LONG:
            self._connection.transport.write(head + body)
        else:
            self._connection.transport.writelines((head, body))
        self._end()

    def _head(self, response: Response) -> bytes:
        headers = [*self._connection.server_state.default_headers, *response.headers]
        if _CLOSE in headers:
            self.keep_alive = False
        elif not self.keep_alive:
            headers.append(_CLOSE)
        lines = b"\r\n".join([name + b": " + value for name, value in headers])
        return b"%b%b\r\n\r\n" % (STATUS_LINE[response.status], lines)

    def _end(self) -> None:
        """Go on with the next request of the connection, if there may be one."""
        self.response_complete = True
        if not self.keep_alive:
            self._connection.transport.close()
        self._connection.on_response_complete()


def _split(target: bytes) -> tuple[str, str]:
    """Path and query of a request line, both as they came; of `http://host/path` too (RFC 9112 3.2.2)."""
    if not target.startswith(b"/"):
        parsed = httptools.parse_url(target)
        return (parsed.path or b"/").decode("latin-1"), (parsed.query or b"").decode("latin-1")
    path, _, query = target.decode("latin-1").partition("#")[0].partition("?")
    return path, query


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol with bounds it lacks: header bytes, header time, connections per address.

    `quiet_bytes` have come in since the parser last made something of them: it holds a header, or a trailer, until its
    end, however far away that is. The names of uvicorn it leans on are not its public face; tests/boot/test_protocol.py
    is their contract.
    """

    bounds = ServerSettings()
    trusted: Networks = ()
    gate: Gate | None = None
    upgrade: Upgrade | Reply | None = None
    """What becomes of the request that is being read, if it asks for a WebSocket."""
    per_address: dict[str, int] = {}  # noqa: RUF012 - shared by every connection on purpose

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.waiting_since = monotonic()
        self.idle_since = 0.0
        self.header_bytes = self.quiet_bytes = 0
        self.address = self.client[0] if self.client else ""
        count = self.per_address.get(self.address, 0) + 1
        self.per_address[self.address] = count
        if count > self.bounds.connections_per_address and not is_in(self.address, self.trusted):
            transport.close()

    @override
    def data_received(self, data: bytes) -> None:
        self.idle_since = 0.0
        self.quiet_bytes += len(data)
        super().data_received(data)
        if self.quiet_bytes > self.bounds.header_bytes and not self.transport.is_closing():
            self.header_bytes += self.quiet_bytes
            self.send_400_response("")

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.release(self.address)

    @classmethod
    def release(cls, address: str) -> None:
        """A connection of this address is no more."""
        count = cls.per_address.get(address, 0) - 1
        if count > 0:
            cls.per_address[address] = count
        else:
            cls.per_address.pop(address, None)

    @override
    def on_message_begin(self) -> None:
        self.url = b""
        self.fields: dict[str, str] = {}
        self.waiting_since = monotonic()
        self.header_bytes = self.quiet_bytes = 0

    @override
    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        add_header(self.fields, name, value)

    @override
    def on_headers_complete(self) -> None:
        self.waiting_since = 0.0
        fields, self.fields = self.fields, {}  # a trailer is no header
        if "upgrade" in fields and self._asks_for_a_socket(fields):
            return
        earlier = cast("Exchange | None", self.cycle)
        application = cast("Any", self.app)  # pyright: ignore[reportUnknownMemberType] - uvicorn says only what wraps it
        exchange = Exchange(self, self.url, fields)
        self.cycle = cast("RequestResponseCycle", exchange)
        if earlier is None or earlier.response_complete:
            self._start_asgi_task(self.cycle, application)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, application))

    @override
    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        exchange = cast("Exchange", cycle)
        exchange.task = self.loop.create_task(exchange.run_asgi(cast("Application", app)))
        self.tasks.add(exchange.task)  # the exchange takes itself out: a callback costs another turn of the loop

    @override
    def on_body(self, body: bytes) -> None:
        self.quiet_bytes = 0
        super().on_body(body)

    @override
    def on_response_complete(self) -> None:
        """Go on with the next request; `sweep` watches over idle connections, and no timer for each answer."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif not self.waiting_since:  # else the next request has begun to come
            self.idle_since = monotonic()

    def _asks_for_a_socket(self, fields: dict[str, str]) -> bool:
        """Whether a request is a WebSocket's handshake; behind one that is not answered yet it is none."""
        if self.gate is not None and not self._is_working():
            parser = cast("httptools.HttpRequestParser", self.parser)
            method, version = parser.get_method().decode("ascii"), parser.get_http_version()
            self.upgrade = self.gate.upgrade(method, version, _split(self.url), fields, self.address)
        return self.upgrade is not None

    @override
    def _should_upgrade(self) -> bool:
        return self.upgrade is not None

    @override
    def handle_websocket_upgrade(self) -> None:
        """Let a wire take the connection over; nothing of this protocol stays, because there are thousands of them."""
        upgrade, self.upgrade = self.upgrade, None
        if isinstance(upgrade, Reply):
            head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
            self.transport.write(STATUS_LINE[upgrade.status] + head % len(upgrade.body) + upgrade.body)
            self.transport.close()
        elif upgrade is not None and self.gate is not None and not self.transport.is_closing():
            self.connections.discard(self)
            self.gate.hand_over(upgrade, self.transport, partial(self.release, self.address))
            del self.parser, self.cycle, self.flow, self.pipeline

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
        """Close a connection that is idle too long, or whose headers, or whose body nobody waits for, do not end."""
        if self._is_working():
            self.waiting_since = now if self.waiting_since else 0.0
        elif self.idle_since:
            if now - self.idle_since > self.timeout_keep_alive:
                self.transport.close()
        elif not self.waiting_since:
            self.waiting_since = now
        elif now - self.waiting_since > self.bounds.header_seconds:
            self.transport.close()

    def _is_working(self) -> bool:
        """Whether the next word is ours."""
        cycle = cast("Exchange | None", self.cycle)  # None before the first request
        return cycle is not None and not cycle.response_complete

    def _count(self, size: int) -> None:
        self.quiet_bytes = 0
        self.header_bytes += size
        if self.header_bytes > self.bounds.header_bytes:
            raise ValueError
