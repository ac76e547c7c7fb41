"""How a component declares its jobs and timers."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from string import Formatter
from typing import Any

import msgspec

from headwater.kernel.jobs.faults import WrongDeclaration


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
    times, with exponential back-off from `backoff`; the last one is kept until it is retried, discarded or old.

    Jobs of higher `priority` run first, older ones first among equals; but a point of priority is worth an hour of
    waiting and no more, so that a job which could have run for so long overtakes, and none waits for ever (ADR 30).
    `at_once` bounds how many run at a time on all nodes together. `unique` makes a key of the arguments, by a
    template of their fields (`"{user_id}"`) or a function: while a job with that key waits or runs, another call
    joins it and nothing more is queued. A call that joins one that waits lends it the higher priority and the
    earlier time, and the job begins after the call's commit; one that joins a running job may not be seen by it.
    Raises `WrongDeclaration`.
    """

    name: str
    arguments: type[msgspec.Struct]
    operation: Callable[..., Awaitable[object]]
    attempts: int = 5
    backoff: timedelta = timedelta(seconds=1)
    timeout: timedelta = timedelta(seconds=60)
    holds_connection: bool = True
    priority: int = 0
    at_once: int | None = None
    unique: str | Callable[[Any], str] | None = None

    def __post_init__(self) -> None:
        """Refuse what could only fail later, at the first call."""
        if self.attempts < 1 or (self.at_once is not None and self.at_once < 1):
            raise WrongDeclaration(self.name, "attempts and at_once count from 1")
        if isinstance(self.unique, str):
            known = set(self.arguments.__struct_fields__)
            named = {(field or "").partition(".")[0] for _, field, _, _ in Formatter().parse(self.unique) if field}
            if not named or named - known:
                raise WrongDeclaration(self.name, f"unique must name fields of {self.arguments.__name__}")

    def unique_key(self, arguments: msgspec.Struct) -> str | None:
        """The key of a call with these arguments; None where every call is a job of its own."""
        if isinstance(self.unique, str):
            return self.unique.format(**msgspec.structs.asdict(arguments))
        return None if self.unique is None else self.unique(arguments)


class Timer(msgspec.Struct, frozen=True, kw_only=True):
    """An operation that runs in a rhythm, on one node at a time: `operation(tx)` in a writing transaction.

    The rhythm is either `every` so often or `cron`, five fields (minute, hour, day, month, weekday) read in the time
    zone `zone`; see `cron.next_match` for the days on which clocks are put forward or back. With `rhythm_in` a part of
    the settings says it, by its fields `cron` and `zone`; where it names no cron expression, the timer never runs. What
    was missed while no node ran is made up for once. Raises `WrongDeclaration`.
    """

    name: str
    operation: Callable[..., Awaitable[object]]
    every: timedelta | None = None
    cron: str | None = None
    zone: str = "UTC"
    rhythm_in: type[msgspec.Struct] | None = None

    def __post_init__(self) -> None:
        """Refuse a rhythm that no clock could keep."""
        if (self.every is not None and self.cron is not None) or not (self.runs or self.rhythm_in):
            raise WrongDeclaration(self.name, "a timer has either every or cron")
        if self.every is not None and self.every <= timedelta(0):
            raise WrongDeclaration(self.name, "every must be longer than nothing")
        if self.cron is not None:
            from headwater.kernel.jobs.cron import must_be_cron  # noqa: PLC0415 - 60 ms for who has such a timer

            must_be_cron(self.name, self.cron, self.zone)

    @property
    def runs(self) -> bool:
        """Whether it has a rhythm."""
        return self.every is not None or self.cron is not None

    def set_by(self, settings: object) -> "Timer":
        """The timer in the rhythm that its part of the settings says. Raises `WrongDeclaration`."""
        cron, zone = getattr(settings, "cron", None), getattr(settings, "zone", self.zone)
        return msgspec.structs.replace(self, cron=cron, zone=zone)

    @property
    def rhythm(self) -> str:
        """The rhythm in words, the same as long as it is the same."""
        return f"every {self.every}" if self.cron is None else f"{self.cron} ({self.zone})"

    def first_due(self, now: datetime) -> datetime:
        """When a timer that is new at `now` first runs."""
        return self.next_due(now, now)

    def next_due(self, beat: datetime, now: datetime) -> datetime:
        """The first moment of the rhythm after `now`, where `beat` was one of its moments."""
        if self.cron is not None:
            from headwater.kernel.jobs.cron import next_match  # noqa: PLC0415 - as above

            return next_match(self.cron, self.zone, now)
        assert self.every is not None  # noqa: S101 - held by __post_init__
        return beat + self.every * ((now - beat) // self.every + 1)
