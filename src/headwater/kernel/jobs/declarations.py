"""How a component declares its jobs and timers."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec


class JobRun(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at a job, as its operation receives it.

    `id` is the same at every attempt: outside calls carry it as their idempotency key. `attempt` counts from 1.
    `arguments` is an instance of the struct the job declares.
    """

    id: str
    attempt: int
    arguments: msgspec.Struct


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Work done after commit, at least once, with exactly-once effects on rows.

    `operation(tx, run)` runs in a writing transaction of its own; with `holds_connection=False` it is given
    `Transactions` instead and opens short ones around its outside calls. A failure is tried again up to `attempts`
    times, with exponential back-off from `backoff`.
    """

    name: str
    arguments: type[msgspec.Struct]
    operation: Callable[..., Awaitable[object]]
    attempts: int = 5
    backoff: timedelta = timedelta(seconds=1)
    timeout: timedelta = timedelta(seconds=60)
    holds_connection: bool = True


class Timer(msgspec.Struct, frozen=True, kw_only=True):
    """An operation that runs every so often, on one node at a time: `operation(tx)` in a writing transaction."""

    name: str
    every: timedelta
    operation: Callable[..., Awaitable[object]]
