"""What a socket shows at its opening, in the words of a request's headers."""

from collections.abc import Mapping

from headwater.flow.cors import may_send_credentials
from headwater.flow.validate import cookies_of
from headwater.kernel.errors import InvalidInput
from headwater.kernel.sockets import Handshake

ACCESS_COOKIE = "insforge_access_token"
"""The cookie in which the client's server-side helpers keep an access token."""
BEARER_PROTOCOL = "bearer."
"""Begins the subprotocol that carries a token: a browser's WebSocket can send no header."""


def credentials_of(handshake: Handshake, allowed_origins: tuple[str, ...]) -> Mapping[str, str]:
    """`authorization` or `x-api-key` as the authenticator reads them; empty if the socket shows nothing.

    The connection's own `auth` comes first, then the headers, a subprotocol `bearer.<token>`, `?token=`, and the access
    cookie: that one only with an Origin that may send credentials, because a browser sends it along for any page.
    Raises `InvalidInput` for an `auth` whose fields are no texts.
    """
    auth = handshake.auth or {}
    if key := _text(auth, "apiKey"):
        return {"x-api-key": key}
    token = _text(auth, "token")
    if token is None:
        shown = {name: handshake.headers[name] for name in ("authorization", "x-api-key") if name in handshake.headers}
        if shown:
            return shown
        token = _from_subprotocol(handshake) or handshake.query.get("token") or _from_cookie(handshake, allowed_origins)
    return {"authorization": f"Bearer {token.removeprefix('Bearer ')}"} if token else {}


def _text(auth: Mapping[str, object], name: str) -> str | None:
    value = auth.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidInput(reason=f"auth.{name}: must be a text")
    return value


def _from_subprotocol(handshake: Handshake) -> str | None:
    return next(
        (word.removeprefix(BEARER_PROTOCOL) for word in handshake.subprotocols if word.startswith(BEARER_PROTOCOL)),
        None,
    )


def _from_cookie(handshake: Handshake, allowed_origins: tuple[str, ...]) -> str | None:
    origin = handshake.headers.get("origin")
    if origin is None or not may_send_credentials(allowed_origins, origin):
        return None
    return cookies_of(handshake.headers.get("cookie", "")).get(ACCESS_COOKIE)
