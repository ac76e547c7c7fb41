"""Jobs: enqueued in the transaction, run after commit, tried again, repeated."""

from headwater.kernel.jobs.declarations import Job, JobRun, Timer
from headwater.kernel.jobs.faults import UndeclaredJob, WorkerLost, WrongArguments
from headwater.kernel.jobs.housekeeping import kernel_timers
from headwater.kernel.jobs.models import BoundJob, BoundTimer, JobSettings
from headwater.kernel.jobs.recorder import JobRecorder
from headwater.kernel.jobs.worker import Worker

__all__ = [
    "BoundJob",
    "BoundTimer",
    "Job",
    "JobRecorder",
    "JobRun",
    "JobSettings",
    "Timer",
    "UndeclaredJob",
    "Worker",
    "WorkerLost",
    "WrongArguments",
    "kernel_timers",
]
