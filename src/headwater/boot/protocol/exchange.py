"""One request of a connection and its answer, without ASGI between the server and flow."""

import asyncio
from contextlib import aclosing
from typing import Any, Protocol, cast

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from uvicorn.server import ServerState

from headwater.boot.application import Application
from headwater.boot.settings import ServerSettings
from headwater.flow import Response, StreamedResponse

_CLOSE = (b"connection", b"close")
_CHUNKED = (b"transfer-encoding", b"chunked")
_LONG = 64 * 1024
"""Bytes from which on one more call costs less than a copy."""


class Connection(Protocol):
    """What an exchange needs of the connection it is on."""

    address: str
    bounds: ServerSettings
    flow: FlowControl
    loop: asyncio.AbstractEventLoop
    parser: httptools.HttpRequestParser | None
    server_state: ServerState
    tasks: set[asyncio.Task[None]]
    transport: asyncio.Transport

    def on_response_complete(self) -> None:
        """Go on with the next request."""
        ...


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

    def __init__(self, connection: Connection, target: bytes, fields: dict[str, str]) -> None:
        parser = cast("httptools.HttpRequestParser", connection.parser)  # None only once the connection is lost
        self._connection = connection
        self._method = parser.get_method().decode("ascii")
        self._path, self._query = split(target)
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
        reached = not self.disconnected and not connection.transport.is_closing()
        if not self.disconnected:
            self._write(response)
        if response.sent is not None:
            response.sent(reached)

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


def split(target: bytes) -> tuple[str, str]:
    """Path and query of a request line, both as they came; of `http://host/path` too (RFC 9112 3.2.2)."""
    if not target.startswith(b"/"):
        parsed = httptools.parse_url(target)
        return (parsed.path or b"/").decode("latin-1"), (parsed.query or b"").decode("latin-1")
    path, _, query = target.decode("latin-1").partition("#")[0].partition("?")
    return path, query
