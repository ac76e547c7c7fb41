"""What a worker is given, and what it works on."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec

from headwater.kernel.jobs.declarations import Job, Timer


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

    slots: int = 5
    """How many jobs a worker runs at once; each may hold a connection."""
    poll: float = 1.0
    """How often to look for work of which nobody told."""
    heartbeat: float = 30.0
    """How long a worker may be silent until others take over its jobs."""
    stop_patience: float = 5.0
    """How long a stopping worker waits for its jobs; the rest goes back to the queue."""
    timer_timeout: float = 60.0
    timer_pause: float = 60.0
    """How long a timer waits at most until it is tried again after a failure."""
    keep_finished: float = 7 * 24 * 3600.0
    """How long ids of finished jobs, and the log of their states, are kept."""


class Ticket(msgspec.Struct, frozen=True):
    """One run of a job, from the call to its end: `id` never changes, `attempts` are those of earlier tickets."""

    id: UUID
    job: str
    attempts: int
    arguments: msgspec.Raw
