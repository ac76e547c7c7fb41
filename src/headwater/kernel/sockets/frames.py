"""WebSocket frames as a server sends them (RFC 6455 5.2): never masked, never fragmented."""

PING = b"\x89\x00"
_TEXT, _BINARY, _CLOSE, _PONG = 0x81, 0x82, 0x88, 0x8A
_UNSENDABLE = (0, 1005, 1006, 1015)
_LONGEST_REASON = 123


def text_frame(payload: bytes) -> bytes:
    """The frame of a text, in UTF-8."""
    return _head(_TEXT, len(payload)) + payload


def binary_frame(payload: bytes) -> bytes:
    """The frame of bytes."""
    return _head(_BINARY, len(payload)) + payload


def _head(first: int, size: int) -> bytes:
    if size < 126:
        return bytes((first, size))
    if size < 65536:
        return bytes((first, 126)) + size.to_bytes(2, "big")
    return bytes((first, 127)) + size.to_bytes(8, "big")


def close_frame(code: int, reason: str = "") -> bytes:
    """The frame that says why the connection ends; codes that may not be sent say nothing (RFC 6455 7.4.1)."""
    if code in _UNSENDABLE:
        return b"\x88\x00"
    told = reason.encode()[:_LONGEST_REASON].decode(errors="ignore").encode()
    return bytes((_CLOSE, 2 + len(told))) + code.to_bytes(2, "big") + told


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping; its payload has 125 bytes at most, as the ping's."""
    return bytes((_PONG, len(payload))) + payload
