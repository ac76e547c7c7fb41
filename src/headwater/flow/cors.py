"""Which other origins' pages may call, and with what."""

from functools import lru_cache
from urllib.parse import urlsplit

from headwater.flow.house import FlowSettings
from headwater.flow.request import Headers, Request, Response

EXPOSED = (
    b"Content-Encoding, Content-Location, Content-Profile, Content-Range, Content-Type, Date, Location, "
    b"Preference-Applied, Proxy-Status, Range-Unit, Retry-After, Server, Server-Timing, Transfer-Encoding, "
    b"X-Request-Id, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Idempotent-Replayed"
)
_METHODS = b"GET, HEAD, PUT, PATCH, POST, DELETE, OPTIONS, QUERY"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def preflight(settings: FlowSettings, request: Request) -> Response | None:
    """The answer to a browser's question whether it may ask; None if this request is not one."""
    if request.method != "OPTIONS" or "access-control-request-method" not in request.headers:
        return None
    wanted = request.headers.get("access-control-request-headers", "")
    headers = [
        *cors_headers(settings, request),
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-allow-headers", wanted.encode("latin-1", "replace")),
        (b"access-control-max-age", b"86400"),
        (b"content-length", b"0"),
    ]
    return Response(204, headers, b"")


def cors_headers(settings: FlowSettings, request: Request) -> Headers:
    """Any origin may read answers without credentials; loopback and listed origins may also send credentials.

    With `only_allowed_origins` the others are told nothing.
    """
    origin = request.headers.get("origin")
    if origin is None:
        return []
    if settings.only_allowed_origins and origin not in settings.allowed_origins:
        return [(b"vary", b"Origin")]
    told = [(b"access-control-allow-origin", origin.encode("latin-1", "replace")), (b"vary", b"Origin")]
    if may_send_credentials(settings.allowed_origins, origin):
        told.append((b"access-control-allow-credentials", b"true"))
    told.append((b"access-control-expose-headers", EXPOSED))
    return told


@lru_cache(maxsize=1024)
def may_send_credentials(allowed: tuple[str, ...], origin: str) -> bool:
    """Whether an origin is listed, or this machine's own."""
    if origin in allowed:
        return True
    try:
        return urlsplit(origin).hostname in _LOOPBACK
    except ValueError:
        return False
