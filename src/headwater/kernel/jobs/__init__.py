"""Jobs: enqueued in the transaction, run after commit, tried again, repeated."""

from headwater.kernel.jobs.census import Census
from headwater.kernel.jobs.declarations import Job, JobRun, Timer
from headwater.kernel.jobs.faults import UndeclaredJob, WorkerLost, WrongArguments, WrongDeclaration
from headwater.kernel.jobs.housekeeping import kernel_timers
from headwater.kernel.jobs.models import (
    BoundJob,
    BoundTimer,
    FailedJob,
    JobReport,
    JobSettings,
    Overview,
    Retried,
    Selection,
    TimerReport,
    WorkerReport,
)
from headwater.kernel.jobs.overview import survey
from headwater.kernel.jobs.queries import discard_failed, list_failed, retry_failed
from headwater.kernel.jobs.recorder import JobRecorder
from headwater.kernel.jobs.worker import TOPIC, Worker

__all__ = [
    "TOPIC",
    "BoundJob",
    "BoundTimer",
    "Census",
    "FailedJob",
    "Job",
    "JobRecorder",
    "JobReport",
    "JobRun",
    "JobSettings",
    "Overview",
    "Retried",
    "Selection",
    "Timer",
    "TimerReport",
    "UndeclaredJob",
    "Worker",
    "WorkerLost",
    "WorkerReport",
    "WrongArguments",
    "WrongDeclaration",
    "discard_failed",
    "kernel_timers",
    "list_failed",
    "retry_failed",
    "survey",
]
