"""Answer; the only place that writes an error."""

import asyncio
import re
import zlib
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from functools import lru_cache
from time import perf_counter

from headwater.flow.cors import cors_headers
from headwater.flow.house import BoundEndpoint, House
from headwater.flow.request import Headers, Request, Response, StreamedResponse
from headwater.kernel.database import refusal_for
from headwater.kernel.errors import InternalError, Refusal
from headwater.kernel.limits import Allowance
from headwater.kernel.models import Reply
from headwater.kernel.observe import RequestAnswered, RequestFailed
from headwater.kernel.principal import Principal

_SECURITY: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
]
_TEXT = ("application/json", "text/", "application/vnd.pgrst", "application/openapi")
_BODILESS = (204, 304)
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
_OFF_THE_LOOP = 256 * 1024


async def respond(
    house: House, endpoint: BoundEndpoint, request: Request, principal: Principal, result: object
) -> Response:
    """The operation's result in the endpoint's envelope, with every header that belongs to it."""
    request.enters("respond")
    reply = endpoint.shape(result)
    headers = _headers(house, endpoint, request, reply)
    if principal.is_admin and not house.settings.server_timing:
        headers.append((b"server-timing", _server_timing(request)))
    if reply.stream is not None:
        _observe(house, endpoint, request, reply.status, None)
        route, tell = endpoint.declared.path, house.observer.tell
        watched = _Watched(reply.stream, lambda failure: tell(RequestFailed(request.id, route, failure)))
        return StreamedResponse(reply.status, headers, reply.body, watched)
    body = b"" if reply.status in _BODILESS else reply.body
    if len(body) >= house.settings.gzip_from and _is_compressible(reply):
        headers.append((b"vary", b"Accept-Encoding"))
        if accepts_gzip(request.headers.get("accept-encoding", "")):
            body = await _compressed(body)
            headers.append((b"content-encoding", b"gzip"))
    if reply.status not in _BODILESS and (body or request.method != "HEAD"):  # records count, and make no body
        headers.append((b"content-length", b"%d" % len(body)))
    _observe(house, endpoint, request, reply.status, None)
    return Response(reply.status, headers, body, reply.sent)


class _Watched:
    """A stream; if it breaks, only the log can say why, because the client has been told 200 long ago.

    No generator: one that was never begun closes nothing.
    """

    def __init__(self, stream: AsyncGenerator[bytes], tell: Callable[[Exception], None]) -> None:
        self._stream = stream
        self._tell = tell

    def __aiter__(self) -> "_Watched":
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._stream)
        except StopAsyncIteration:
            raise
        except Exception as failure:
            self._tell(failure)
            raise

    async def aclose(self) -> None:
        await self._stream.aclose()


def refuse(house: House, endpoint: BoundEndpoint | None, request: Request, failure: Exception) -> Response:
    """The refusal a failure deserves, in the endpoint's envelope; what nobody foresaw is a 500 without internals."""
    request.enters("respond")
    refusal = failure if isinstance(failure, Refusal) else refusal_for(failure)
    if refusal is None:
        route = "" if endpoint is None else endpoint.declared.path
        house.observer.tell(RequestFailed(request.id, route, failure))
        refusal = InternalError(request_id=request.id)
    envelope = house.envelope(request.path) if endpoint is None else endpoint.declared.envelope
    reply = envelope.refuse(refusal)
    headers = _headers(house, endpoint, request, reply)
    headers.append((b"content-length", b"%d" % len(reply.body)))
    _observe(house, endpoint, request, reply.status, refusal.code)
    return Response(reply.status, headers, reply.body)


def _headers(house: House, endpoint: BoundEndpoint | None, request: Request, reply: Reply) -> Headers:
    headers = [(b"x-request-id", request.id.encode()), *_SECURITY]
    if reply.media_type is not None and reply.status not in _BODILESS:
        headers.append(_header("content-type", reply.media_type))
    if reply.headers:
        headers += [_header(name, value) for name, value in reply.headers]
    if "origin" in request.headers:
        headers += cors_headers(house.settings, request)
    if (allowance := request.allowance) is not None:
        headers += [
            (b"ratelimit-limit", b"%d" % allowance.limit),
            (b"ratelimit-remaining", b"%d" % allowance.remaining),
            (b"ratelimit-reset", b"%d" % allowance.reset),
        ]
        if endpoint is not None and endpoint.declared.x_rate_limit:
            headers += _x_rate_limit(house, allowance)
    if house.settings.server_timing:
        headers.append((b"server-timing", _server_timing(request)))
    if (trace := house.settings.trace_header) is not None and trace.lower() in request.headers:
        headers.append((trace.lower().encode("latin-1"), request.headers[trace.lower()].encode("latin-1", "replace")))
    return headers


def _x_rate_limit(house: House, allowance: Allowance) -> Headers:
    return [
        (b"x-ratelimit-limit", b"%d" % allowance.limit),
        (b"x-ratelimit-remaining", b"%d" % allowance.remaining),
        (b"x-ratelimit-reset", _second(int(house.clock.timestamp()) + allowance.reset)),
    ]


@lru_cache(256)  # the same few, answer after answer
def _second(timestamp: int) -> bytes:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()


@lru_cache(1024)  # the same few, answer after answer
def _header(name: str, value: str) -> tuple[bytes, bytes]:
    if not value.isprintable() and _CONTROL.search(value):
        raise ValueError(f"The header {name} holds a control character: it would end there, and another could begin")
    return name.lower().encode("latin-1"), value.encode("latin-1", "replace")


def _is_compressible(reply: Reply) -> bool:
    if reply.media_type is None or not reply.media_type.startswith(_TEXT):
        return False
    return all(name.lower() != "content-encoding" for name, _ in reply.headers)


def accepts_gzip(header: str) -> bool:
    """Whether an `Accept-Encoding` header takes gzip (RFC 9110 12.5.3): named or by `*`, and not with `q=0`."""
    qualities: dict[str, float] = {}
    for part in header.lower().split(","):
        coding, _, weight = part.partition(";")
        quality = weight.strip().removeprefix("q=")
        try:
            qualities[coding.strip()] = float(quality or 1)
        except ValueError:
            continue
    return qualities.get("gzip", qualities.get("*", 0)) > 0


async def _compressed(body: bytes) -> bytes:
    if len(body) >= _OFF_THE_LOOP:
        return await asyncio.to_thread(zlib.compress, body, 4, 31)
    return zlib.compress(body, 4, 31)


def _durations(request: Request) -> tuple[tuple[str, float], ...]:
    """Seconds in each stage; a stage entered twice is told twice."""
    stages = request.stages
    durations: list[tuple[str, float]] = []
    end = perf_counter()
    for name, entered in reversed(stages):
        durations.append((name, end - entered))
        end = entered
    durations.reverse()
    return tuple(durations)


def _server_timing(request: Request) -> bytes:
    return ", ".join(f"{name};dur={seconds * 1000:.3f}" for name, seconds in _durations(request)).encode()


def _observe(house: House, endpoint: BoundEndpoint | None, request: Request, status: int, code: str | None) -> None:
    house.observer.tell(
        RequestAnswered(
            request.id,
            request.method,
            "" if endpoint is None else endpoint.declared.path,
            status,
            perf_counter() - request.began,
            _durations(request),
            request.principal_key,
            request.address,
            code,
            house.clock.timestamp(),
        )
    )
