"""HTTP/1.1 on one connection: uvicorn's protocol with bounds it lacks, and a shorter way out."""

import asyncio
from functools import partial
from time import monotonic
from typing import Any, cast

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from headwater.boot.application import Application, Scope
from headwater.boot.settings import ServerSettings
from headwater.flow import Response
from headwater.flow.request import Networks, is_in

_TOO_LARGE = 431
_BAD_REQUEST = 400


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
    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        serve: Any = partial(self._serve, cycle)
        cycle.run_asgi = serve
        super()._start_asgi_task(cycle, app)

    async def _serve(self, cycle: RequestResponseCycle, application: Application) -> None:
        """Answer one request and write it at once; uvicorn's way checks each header by regex and writes twice."""
        try:
            response = await application.respond(cast("Scope", cycle.scope), cycle.receive)
            if self.flow.write_paused and not cycle.disconnected:
                await self.flow.drain()
            if not cycle.disconnected:
                self._write(cycle, response)
        except BaseException:
            self.transport.close()
            raise
        finally:
            cycle.on_response = _do_nothing  # else the cycle and the connection keep each other alive

    def _write(self, cycle: RequestResponseCycle, response: Response) -> None:
        parts = [STATUS_LINE[response.status]]
        for name, value in (*cycle.default_headers, *response.headers):
            parts += (name, b": ", value, b"\r\n")
            if name == b"connection":
                cycle.keep_alive = False
        if not cycle.keep_alive:
            parts.append(b"connection: close\r\n")
        parts.append(b"\r\n")
        if cycle.scope["method"] != "HEAD":
            parts.append(response.body)
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        self.transport.write(b"".join(parts))
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()

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


def _do_nothing() -> None:
    """What a finished cycle calls."""
