"""A connection of HTTP/1.1: what comes in becomes requests, sockets, or another process' affair."""

import asyncio
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any, cast
from typing import Protocol as Shape

import httptools
from typing_extensions import override
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from headwater.boot.application import Application, add_header
from headwater.boot.protocol.exchange import Exchange, split
from headwater.boot.settings import ServerSettings
from headwater.boot.sockets import Gate, Upgrade
from headwater.flow.request import Networks, is_in
from headwater.kernel.models import Reply
from headwater.kernel.sockets.doors import UNKNOWN_SESSION

_TOO_LARGE = 431
_BAD_REQUEST = 400


class Siblings(Shape):
    """The other processes that answer at our address."""

    def hand_over(self, home: str, connection: asyncio.Transport, content: bytes, done: Callable[[bool], None]) -> None:
        """Give a connection and what was read of it to another process; `done` is told whether it has gone there."""
        ...


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol with bounds it lacks: header bytes, header time, connections per address.

    `quiet_bytes` have come in since the parser last made something of them: it holds a header, or a trailer, until its
    end, however far away that is. With `siblings`, a connection whose next request is another process' to answer is
    handed to it: `seen` has come since there was nothing underway, so many requests have `begun` in it, and `foreword`
    is what another process had seen of a connection that was handed to us. The names of uvicorn it leans on are not its
    public face; tests/boot/test_protocol.py is their contract.
    """

    bounds = ServerSettings()
    trusted: Networks = ()
    gate: Gate | None = None
    siblings: Siblings | None = None
    foreword = b""
    upgrade: Upgrade | None = None
    """What becomes of the request that is being read, if it asks for a WebSocket."""
    per_address: dict[str, int] = {}  # noqa: RUF012 - shared by every connection on purpose

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.waiting_since = monotonic()
        self.idle_since = 0.0
        self.header_bytes = self.quiet_bytes = self.begun = 0
        self.seen, self.home = b"", ""
        self.address = self.client[0] if self.client else ""
        count = self.per_address.get(self.address, 0) + 1
        self.per_address[self.address] = count
        if count > self.bounds.connections_per_address and not is_in(self.address, self.trusted):
            transport.close()
        elif self.foreword:
            data, self.foreword = self.foreword, b""
            self.data_received(data)

    @override
    def data_received(self, data: bytes) -> None:
        self.idle_since = 0.0
        self.quiet_bytes += len(data)
        if self.siblings is not None and (self.seen or not self._is_in_a_request()):
            self.seen += data
        super().data_received(data)
        if not self.waiting_since:
            self.seen, self.begun = b"", 0
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
        self.begun += 1

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
        if self.siblings is not None and b"sid=" in self.url and self._belongs_elsewhere():
            raise ValueError  # the parser stops here, and asks for `send_400_response`
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
            self.upgrade = self.gate.upgrade(method, version, split(self.url), fields, self.address)
        return self.upgrade is not None

    @override
    def _should_upgrade(self) -> bool:
        return self.upgrade is not None

    @override
    def handle_websocket_upgrade(self) -> None:
        """Let a wire take the connection over; nothing of this protocol stays, because there are thousands of them."""
        upgrade, self.upgrade = self.upgrade, None
        if upgrade is None or self.gate is None or self.transport.is_closing():
            return
        answer = upgrade.answer
        if isinstance(answer, Reply):
            self._end_with(answer.status, answer.body)
            self.gate.tell(upgrade, answer.status)
        else:
            self.connections.discard(self)
            self.gate.hand_over(upgrade, answer, self.transport, partial(self.release, self.address))
            del self.parser, self.cycle, self.flow, self.pipeline

    @override
    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be parsed, in the shape of every other refusal; let go of what is not ours to parse.

        While an earlier request of the connection runs, an answer now would be taken for its own: the connection ends
        after that one.
        """
        if self.home and self.siblings is not None:
            self.transport.pause_reading()
            self.siblings.hand_over(self.home, self.transport, self.seen, self._let_go)
            return
        if self._is_working() and not self.cycle.more_body:
            self.cycle.keep_alive = False
            return
        status, code = _BAD_REQUEST, "INVALID_INPUT"
        if self.header_bytes > self.bounds.header_bytes:
            status, code, msg = _TOO_LARGE, "HEADERS_TOO_LARGE", "The headers are too large"
        self._end_with(status, f'{{"error":"{code}","message":"{msg}","statusCode":{status}}}'.encode())

    def _end_with(self, status: int, body: bytes) -> None:
        """Say one last thing, past flow."""
        head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()

    def _belongs_elsewhere(self) -> bool:
        """Whether another process keeps what this request is about, and can take over: nothing of ours is underway."""
        if self.gate is not None and self.seen and self.begun == 1 and not self.transport.get_write_buffer_size():
            self.home = self.gate.elsewhere(*split(self.url)) or ""
        return bool(self.home)

    def _let_go(self, gone: bool) -> None:  # noqa: FBT001 - see Siblings
        if gone:
            self.transport.abort()  # our end of it alone
        elif not self.transport.is_closing():
            self._end_with(UNKNOWN_SESSION.status, UNKNOWN_SESSION.body)

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

    def _is_in_a_request(self) -> bool:
        """Whether a request has begun and is not answered, or has not come to its end."""
        cycle = cast("Exchange | None", self.cycle)
        return cycle is not None and (cycle.more_body or not cycle.response_complete)

    def _count(self, size: int) -> None:
        self.quiet_bytes = 0
        self.header_bytes += size
        if self.header_bytes > self.bounds.header_bytes:
            raise ValueError
