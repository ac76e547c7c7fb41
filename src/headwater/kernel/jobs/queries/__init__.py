"""Every statement of the jobs: those of the queue, of the workers, of the timers, and those that tell of them."""

from headwater.kernel.jobs.queries.failures import discard_failed, list_failed, remove_old_failures, retry_failed
from headwater.kernel.jobs.queries.finished import add_finished, is_finished, remove_finished
from headwater.kernel.jobs.queries.overview import (
    JobCounts,
    list_counts,
    list_last_runs,
    list_timers,
    list_workers,
    measure_lags,
)
from headwater.kernel.jobs.queries.queue import (
    add_jobs,
    fail_job,
    lock_lanes,
    lock_running,
    pick_jobs,
    postpone_job,
    queue_due_jobs,
    release_jobs,
    remove_job,
)
from headwater.kernel.jobs.queries.timers import (
    Agenda,
    DueTimer,
    add_timers,
    find_agenda,
    finish_timer,
    lock_due_timer,
    postpone_timer,
    remove_timers,
)
from headwater.kernel.jobs.queries.workers import add_worker, beat_worker, list_beats, lock_silent_worker, remove_worker

__all__ = [
    "Agenda",
    "DueTimer",
    "JobCounts",
    "add_finished",
    "add_jobs",
    "add_timers",
    "add_worker",
    "beat_worker",
    "discard_failed",
    "fail_job",
    "find_agenda",
    "finish_timer",
    "is_finished",
    "list_beats",
    "list_counts",
    "list_failed",
    "list_last_runs",
    "list_timers",
    "list_workers",
    "lock_due_timer",
    "lock_lanes",
    "lock_running",
    "lock_silent_worker",
    "measure_lags",
    "pick_jobs",
    "postpone_job",
    "postpone_timer",
    "queue_due_jobs",
    "release_jobs",
    "remove_finished",
    "remove_job",
    "remove_old_failures",
    "remove_timers",
    "remove_worker",
    "retry_failed",
]
