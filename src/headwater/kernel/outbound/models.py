"""What is asked of others, and what they answer."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

MEBIBYTE = 1024 * 1024


class OutboundSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_OUTBOUND_*; times in seconds."""

    allowed_hosts: tuple[str, ...] = ()
    """Names, addresses and networks that may be called although they are private: `localhost`, `10.1.0.0/16`."""
    connect_timeout: Annotated[float, msgspec.Meta(gt=0)] = 5.0
    connections: Annotated[int, msgspec.Meta(ge=1)] = 100
    """Open at once; whoever needs another one waits."""
    breaks_after: Annotated[int, msgspec.Meta(ge=1)] = 5
    """Failures in a row after which a host is left alone."""
    breaks_for: Annotated[float, msgspec.Meta(ge=0)] = 30.0
    """How long it is left alone before one call tries again."""


class OutboundCall(msgspec.Struct, frozen=True, kw_only=True):
    """One request to somebody else; `seconds` bound all of it, redirects and further attempts included.

    `largest` bounds the answer's body, unpacked. GET, HEAD and OPTIONS are tried again, up to `attempts` in all, and
    so is what carries an `idempotency_key` (sent as `Idempotency-Key`); others only if nothing can have arrived.
    """

    method: str = "GET"
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    seconds: float = 10.0
    largest: int = MEBIBYTE
    redirects: int = 0
    attempts: int = 3
    idempotency_key: str | None = None


class OutboundAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody else answered; header names are lower-case, `url` is the one that answered at last."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def is_good(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body, decoded; raises `msgspec.DecodeError`."""
        return msgspec.json.decode(self.body)
