"""What can be done with jobs."""

from dataclasses import dataclass

from headwater.kernel.component import Components
from headwater.kernel.database import ReadingTransaction, WritingTransaction
from headwater.kernel.jobs import (
    FailedJob,
    Overview,
    Retried,
    Selection,
    discard_failed,
    list_failed,
    retry_failed,
    survey,
)
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import Principal
from headwater.platform.system import rules
from headwater.platform.system.errors import NoSuchFailure
from headwater.platform.system.models import Discarded, FailuresAsked, FailuresMeant

_MODULE = "jobs"


@dataclass(frozen=True)
class Jobs:
    """Jobs and timers: how each is, and what is done about those that failed for good."""

    components: Components

    async def list_jobs(self, tx: ReadingTransaction, principal: Principal, body: None) -> Overview:
        """Every job, timer and worker: state, last and next run, and how many failures are kept."""
        return await survey(tx, [job.name for component in self.components for job in component.jobs])

    async def list_failures(self, tx: ReadingTransaction, principal: Principal, body: FailuresAsked) -> list[FailedJob]:
        """The jobs that failed for good, the latest first, with what they were called with and why they failed."""
        return await list_failed(tx, Selection(job=body.job), body.limit)

    async def retry_failures(self, tx: WritingTransaction, principal: Principal, body: FailuresMeant) -> Retried:
        """Queue jobs that failed for good again, with all their attempts.

        One whose unique key another job has by now joins that. Raises `NothingMeant`, `NoSuchFailure`.
        """
        rules.must_mean_one(body)
        retried = await retry_failed(tx, _selected(body))
        _must_be_kept(body, retried.queued + retried.joined)
        tx.audit(AuditEntry(action="RETRY_JOBS", module=_MODULE, details=_told(body)))
        return retried

    async def discard_failures(self, tx: WritingTransaction, principal: Principal, body: FailuresMeant) -> Discarded:
        """Remove jobs that failed for good, for ever. Raises `NothingMeant`, `NoSuchFailure`."""
        rules.must_mean_one(body)
        discarded = await discard_failed(tx, _selected(body))
        _must_be_kept(body, discarded)
        tx.audit(AuditEntry(action="DISCARD_JOBS", module=_MODULE, details=_told(body)))
        return Discarded(discarded=discarded)


def _selected(body: FailuresMeant) -> Selection:
    return Selection(id=body.id, job=body.job)


def _must_be_kept(body: FailuresMeant, found: int) -> None:
    if not found and not body.all:
        raise NoSuchFailure(meant=body.id or body.job)


def _told(body: FailuresMeant) -> dict[str, object]:
    return {"id": None if body.id is None else str(body.id), "job": body.job, "all": body.all}
