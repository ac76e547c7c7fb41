"""The opening handshake of a WebSocket (RFC 6455 4.2)."""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha1

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_VERSION = "13"


def asks_for_websocket(method: str, version: str, headers: Mapping[str, str]) -> bool:
    """Whether a request is a whole and proper handshake; `version` is HTTP's, header names are lower-case."""
    if method != "GET" or version != "1.1" or headers.get("upgrade", "").lower() != "websocket":
        return False
    options = [option.strip() for option in headers.get("connection", "").lower().split(",")]
    if "upgrade" not in options or headers.get("sec-websocket-version") != _VERSION:
        return False
    try:
        return len(b64decode(headers.get("sec-websocket-key", ""), validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


def answer_to(key: str, subprotocol: str | None = None) -> bytes:
    """The 101 that accepts a handshake with this `Sec-WebSocket-Key`; `subprotocol` is one that was offered."""
    proof = b64encode(sha1(key.encode() + _GUID).digest())  # noqa: S324 - RFC 6455's own; it protects nothing
    chosen = b"" if subprotocol is None else b"Sec-WebSocket-Protocol: %b\r\n" % subprotocol.encode("latin-1")
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n%b\r\n" % (proof, chosen)
    )
