"""The kernel's own timers: what the outbox and the jobs no longer need is removed."""

from datetime import timedelta

from headwater.kernel.database import WritingTransaction, remove_expired_replies
from headwater.kernel.events import Dispatcher
from headwater.kernel.jobs import queries
from headwater.kernel.jobs.declarations import Timer
from headwater.kernel.jobs.models import BoundTimer, JobSettings
from headwater.kernel.mail import remove_expired_letters

_EVERY = timedelta(hours=1)


def kernel_timers(dispatcher: Dispatcher, settings: JobSettings | None = None) -> tuple[BoundTimer, ...]:
    """Timers that a worker keeps beside those of the components."""
    settings = settings or JobSettings()
    keep_finished, keep_failed = timedelta(seconds=settings.keep_finished), timedelta(seconds=settings.keep_failed)

    async def remove_finished_jobs(tx: WritingTransaction) -> None:
        await queries.remove_finished(tx, tx.now - keep_finished)

    async def remove_failed_jobs(tx: WritingTransaction) -> None:
        await queries.remove_old_failures(tx, tx.now - keep_failed)

    operations = {
        "kernel.remove_passed_events": dispatcher.remove_passed_events,
        "kernel.remove_finished_jobs": remove_finished_jobs,
        "kernel.remove_failed_jobs": remove_failed_jobs,
        "kernel.remove_expired_replies": remove_expired_replies,
        "kernel.remove_expired_letters": remove_expired_letters,
    }
    return tuple(
        BoundTimer(Timer(name=name, every=_EVERY, operation=operation), operation)
        for name, operation in operations.items()
    )
