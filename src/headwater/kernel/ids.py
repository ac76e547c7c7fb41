"""New identifiers and secrets, from the operating system's randomness."""

import random
import secrets
import uuid


def new_id() -> uuid.UUID:
    """A random UUID (version 4, RFC 9562)."""
    return uuid.uuid4()


def new_request_id() -> str:
    """32 hexadecimal digits that name one request in answers and logs: a name, and no secret."""
    return random.randbytes(16).hex()  # noqa: S311 - no secret


def new_secret(prefix: str = "", size: int = 32) -> str:
    """`prefix` and `size` random bytes in hexadecimal; 32 bytes are beyond guessing."""
    return prefix + secrets.token_hex(size)


def new_socket_id() -> str:
    """20 letters, digits, `-` and `_` that name a socket; nobody guesses one."""
    return secrets.token_urlsafe(15)
