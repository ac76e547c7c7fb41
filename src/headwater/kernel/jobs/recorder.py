"""Keeps job calls: as rows of the transaction that makes them."""

from collections.abc import Mapping

import msgspec

from headwater.kernel.database import WritingTransaction
from headwater.kernel.ids import new_id
from headwater.kernel.jobs import queries, queue
from headwater.kernel.jobs.declarations import Job
from headwater.kernel.jobs.faults import UndeclaredJob, WrongArguments
from headwater.kernel.jobs.models import Ticket
from headwater.kernel.models import JobCall


class JobRecorder:
    """Puts a transaction's job calls into the queue, those for later into `system.timers`.

    Satisfies `kernel.database.Recorder`. `registry` is every declared job by its name.
    """

    def __init__(self, registry: Mapping[str, Job]) -> None:
        self._registry = registry

    async def record(self, tx: WritingTransaction) -> None:
        """Write all of `tx.effects.jobs`. Raises `UndeclaredJob` and `WrongArguments`: bugs of the caller."""
        now: list[Ticket] = []
        later: list[Ticket] = []
        due = [call.due for call in tx.effects.jobs if call.due is not None and call.due > tx.now]
        for call in tx.effects.jobs:
            waits = call.due is not None and call.due > tx.now
            (later if waits else now).append(self._ticket(call))
        if now:
            await queue.enqueue(tx.connection, now)
        if later:
            await queries.add_waiting_jobs(tx, later, due)

    def _ticket(self, call: JobCall) -> Ticket:
        job = self._registry.get(call.job)
        if job is None:
            raise UndeclaredJob(call.job)
        if not isinstance(call.arguments, job.arguments):
            raise WrongArguments(call.job, job.arguments, type(call.arguments))
        return Ticket(new_id(), call.job, 0, msgspec.Raw(msgspec.json.encode(call.arguments)))
