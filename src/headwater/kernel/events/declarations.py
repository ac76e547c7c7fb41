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


class Consumer(msgspec.Struct, frozen=True, kw_only=True):
    """Listens to the durable events named `of`; a name, because neighbours do not import each other.

    `operation(tx, event)` runs in the writing transaction that also moves the consumer's cursor: its effects on rows
    happen exactly once, in the order of the outbox. `payload` is the consumer's own struct of what it reads.
    """

    name: str
    of: str
    payload: type
    operation: Callable[..., Awaitable[object]]
