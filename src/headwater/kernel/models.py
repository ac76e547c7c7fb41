"""The values that travel through the house: what came in, what goes out, what a transaction leaves behind."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from datetime import datetime
from enum import StrEnum
from mmap import mmap
from typing import ClassVar, NewType

import msgspec

CacheKey = NewType("CacheKey", str)
Operation = Callable[..., Awaitable[object]]
"""A verb of a component: a method of its operations class."""


class Access(StrEnum):
    """Who may call an endpoint, or send a message."""

    ANYONE = "anyone"
    CALLER = "caller"
    """Whoever shows a key or a token."""
    USER = "user"
    """A signed-in user's token; keys are not enough."""
    ADMIN = "admin"


class Mode(StrEnum):
    """The transaction an operation runs in, and so the type of its first argument.

    NONE: `Transactions`, which opens short ones; STATEMENT: one statement that is its own transaction; READING:
    `ReadingTransaction`; WRITING and SERIALIZABLE: `WritingTransaction`.
    """

    NONE = "none"
    STATEMENT = "statement"
    READING = "reading"
    WRITING = "writing"
    SERIALIZABLE = "serializable"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, named by its class in the past tense; the fields are its payload.

    `durable` events are rows of the transaction that emits them and reach every consumer at least once; others are
    told once, after commit, to whoever listens.
    """

    durable: ClassVar[bool] = False
    wire_name: ClassVar[str | None] = None
    """What sockets hear it as; None: the name of its class."""

    def audience(self) -> tuple[str, ...]:
        """The rooms that are told: `user:<id>`, `role:<role>`, or the component's own; by default nobody's."""
        return ()


class JobCall(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a job to come: the job's name, its arguments' struct, and when it is due (None: at once).

    `priority` and `unique_key` stand in for what the job declares; a job that waits or runs under the key is joined.
    """

    job: str
    arguments: msgspec.Struct
    due: datetime | None = None
    priority: int | None = None
    unique_key: str | None = None


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what, for the audit log: `action` in capitals, `module` the component, `details` free."""

    action: str
    module: str
    details: Mapping[str, object] = {}


class Effects(msgspec.Struct):
    """What a transaction leaves behind once it has committed; empty again at every retry."""

    forgets: list[CacheKey] = msgspec.field(default_factory=list[CacheKey])
    events: list[Event] = msgspec.field(default_factory=list[Event])
    jobs: list[JobCall] = msgspec.field(default_factory=list[JobCall])
    audits: list[AuditEntry] = msgspec.field(default_factory=list[AuditEntry])

    def absorb(self, other: "Effects") -> None:
        """Add the effects of another, committed transaction to these."""
        self.forgets += other.forgets
        self.events += other.events
        self.jobs += other.jobs
        self.audits += other.audits


class RawRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came, for the endpoints whose grammar no struct can state.

    `parameters` are the path's, percent-decoded; `query` is the raw query string; header names are lower-case.
    """

    method: str
    path: str
    parameters: Mapping[str, str]
    query: str
    headers: Mapping[str, str]
    body: bytes
    address: str
    id: str
    file: mmap | None = None
    """A large body of an endpoint that is `spooled`; then `body` is empty."""
    hung_up: Callable[[], Awaitable[None]] | None = None
    """Returns once the client's connection has ended, for who makes him wait; None where nobody can know."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is already in its wire form; `body` is sent as it is."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    media_type: str | None = "application/json"
    stream: AsyncGenerator[bytes] | None = None
    """What comes after `body`, as fast as the client takes it; whoever sends the answer closes it in every case."""
    sent: Callable[[bool], None] | None = None
    """Told whether the answer was written to the connection, or the client had gone before."""


class PublicAddress(msgspec.Struct):
    """Where others reach this house, without a slash at its end: what links in letters begin with.

    It is configured, or else where the server listens; never what a request calls us, which anyone may forge.
    """

    url: str
