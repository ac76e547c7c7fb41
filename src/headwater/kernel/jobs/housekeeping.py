"""The kernel's own timers: what the outbox and the queue no longer need is removed."""

from datetime import timedelta

from headwater.kernel.database import WritingTransaction, remove_expired_replies
from headwater.kernel.events import Dispatcher
from headwater.kernel.jobs import queries
from headwater.kernel.jobs.declarations import Timer
from headwater.kernel.jobs.models import BoundTimer, JobSettings

_EVERY = timedelta(hours=1)


def kernel_timers(dispatcher: Dispatcher, settings: JobSettings | None = None) -> tuple[BoundTimer, ...]:
    """Timers that a worker keeps beside those of the components."""
    keep = timedelta(seconds=(settings or JobSettings()).keep_finished)

    async def remove_finished_jobs(tx: WritingTransaction) -> None:
        await queries.remove_finished(tx, tx.now - keep)

    operations = {
        "kernel.remove_passed_events": dispatcher.remove_passed_events,
        "kernel.remove_finished_jobs": remove_finished_jobs,
        "kernel.remove_expired_replies": remove_expired_replies,
    }
    return tuple(
        BoundTimer(Timer(name=name, every=_EVERY, operation=operation), operation)
        for name, operation in operations.items()
    )
