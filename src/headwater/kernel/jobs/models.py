"""What a worker is given, what it works on, and what is told of it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from headwater.kernel.jobs.declarations import Job, Timer

Positive = Annotated[float, msgspec.Meta(gt=0)]


class BoundJob(msgspec.Struct, frozen=True):
    """A job and its operation, with everything the operation needs: `operation(tx, run)`."""

    declaration: Job
    operation: Callable[..., Awaitable[object]]


class BoundTimer(msgspec.Struct, frozen=True):
    """A timer and its operation, with everything the operation needs: `operation(tx)`."""

    declaration: Timer
    operation: Callable[..., Awaitable[object]]


class JobSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_JOB_*; times in seconds."""

    slots: Annotated[int, msgspec.Meta(ge=1)] = 5
    """How many jobs a worker runs at once; each may hold a connection."""
    poll: Positive = 1.0
    """How often to look for work of which nobody told."""
    heartbeat: Positive = 30.0
    """How long a worker may be silent until others take over its jobs."""
    stop_patience: float = 5.0
    """How long a stopping worker waits for its jobs; the rest goes back to the queue."""
    timer_timeout: Positive = 60.0
    timer_pause: Positive = 60.0
    """How long a timer waits at most until it is tried again after a failure."""
    keep_finished: float = 7 * 24 * 3600.0
    """How long ids of finished jobs are kept; the last one of each name stays."""
    keep_failed: float = 30 * 24 * 3600.0
    """How long jobs that failed for good are kept, to be looked at and retried."""
    census: Positive = 15.0
    """How often jobs and timers are counted for the metrics."""


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A job that was called: `id` never changes, `due` is None for at once."""

    id: UUID
    job: str
    arguments: msgspec.Raw
    priority: int
    unique_key: str | None
    due: datetime | None


class Picked(msgspec.Struct, frozen=True):
    """A job in a worker's hands; `attempt` counts from 1."""

    id: UUID
    job: str
    attempt: int
    arguments: msgspec.Raw


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which failed jobs are meant: the one of an id, those of a name, or (with neither) every one."""

    id: UUID | None = None
    job: str | None = None


class FailedJob(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A job that failed for good, as it is kept: what it was called with, how often it was tried, and why it failed."""

    id: UUID
    job: str
    arguments: msgspec.Raw
    priority: int
    unique_key: str | None
    attempts: int
    enqueued_at: datetime
    failed_at: datetime
    error: str
    traceback: str | None


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """What became of failed jobs: queued again, or joined to a job with their unique key that waits or runs."""

    queued: int
    joined: int


class JobReport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How one job is: rows by state, when it last came to a good end, when it failed, when it runs next."""

    name: str
    state: Literal["running", "queued", "waiting", "idle"]
    declared: bool
    """Whether this version still knows the job; one that it does not waits for a version that does."""
    queued: int
    waiting: int
    running: int
    failures: int
    oldest: datetime | None
    """Since when the longest queued one could have run."""
    last_run: datetime | None
    last_failure: datetime | None
    next_run: datetime | None


class TimerReport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How one timer is; `failures` are those since its last good run, `error` the latest of them."""

    name: str
    rhythm: str
    state: Literal["scheduled", "due", "failing"]
    last_run: datetime | None
    last_seconds: float | None
    next_run: datetime
    failures: int
    error: str | None


class WorkerReport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A worker that has not been given up: where it is, since when, and how much it runs."""

    place: str
    started_at: datetime
    running: int


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """Every job, timer and worker of the house."""

    jobs: tuple[JobReport, ...]
    timers: tuple[TimerReport, ...]
    workers: tuple[WorkerReport, ...]
