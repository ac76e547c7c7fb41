"""How a component declares what it listens to."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec


class ToldEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A durable event as a consumer receives it.

    `position` names it in the outbox; events come in the order of their transactions, so positions of concurrent ones
    may come out of order. `payload` is an instance of the struct the consumer declares.
    """

    position: int
    name: str
    payload: object
    at: datetime


class Follower(msgspec.Struct, frozen=True, kw_only=True):
    """Keeps what a process has in memory up with the events named `of`, durable or not, on every node.

    `await operation(payload)` acts on an event soon after its commit, at most once: in the emitting process before its
    answer leaves, elsewhere as soon as the bus brings it. `payload` is the follower's own struct of what it reads.
    Events of several transactions may come in any order. Where one may have been missed, or failed, `await
    on_gap(transactions)` reads again what is true, and is repeated until it succeeds; it does not run at the start.
    Without `elsewhere` it acts in the emitting process alone.
    """

    name: str
    of: str
    payload: type
    operation: Callable[..., Awaitable[object]]
    on_gap: Callable[..., Awaitable[object]] | None = None
    elsewhere: bool = True


class Consumer(msgspec.Struct, frozen=True, kw_only=True):
    """Listens to the durable events named `of`; a name, because neighbours do not import each other.

    `operation(tx, event)` runs in the writing transaction that also moves the consumer's cursor: its effects on rows
    happen exactly once, in the order of the outbox. With `joined` it is `operation(tx, events)`, and takes in all that
    wait, some hundred at most and in their order, so that one statement does for many. `payload` is the consumer's own
    struct of what it reads.
    """

    name: str
    of: str
    payload: type
    operation: Callable[..., Awaitable[object]]
    joined: bool = False
