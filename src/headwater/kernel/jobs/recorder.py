"""Keeps job calls: as rows of the transaction that makes them."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from headwater.kernel.database import WritingTransaction
from headwater.kernel.ids import new_id
from headwater.kernel.jobs import queries
from headwater.kernel.jobs.declarations import Job
from headwater.kernel.jobs.faults import UndeclaredJob, WrongArguments
from headwater.kernel.jobs.models import Ticket
from headwater.kernel.models import JobCall


class JobRecorder:
    """Makes rows of a transaction's job calls, or joins them to the jobs that have their unique keys.

    Satisfies `kernel.database.Recorder`. `registry` is every declared job by its name.
    """

    def __init__(self, registry: Mapping[str, Job]) -> None:
        self._registry = registry

    async def record(self, tx: WritingTransaction) -> None:
        """Write all of `tx.effects.jobs`. Raises `UndeclaredJob` and `WrongArguments`: bugs of the caller."""
        if tx.effects.jobs:
            await queries.add_jobs(tx, joined(map(self._ticket, tx.effects.jobs)))

    def _ticket(self, call: JobCall) -> Ticket:
        job = self._registry.get(call.job)
        if job is None:
            raise UndeclaredJob(call.job)
        if not isinstance(call.arguments, job.arguments):
            raise WrongArguments(call.job, job.arguments, type(call.arguments))
        return Ticket(
            id=new_id(),
            job=call.job,
            arguments=msgspec.Raw(msgspec.json.encode(call.arguments)),
            priority=job.priority if call.priority is None else call.priority,
            unique_key=job.unique_key(call.arguments) if call.unique_key is None else call.unique_key,
            due=call.due,
        )


def joined(tickets: Iterable[Ticket]) -> list[Ticket]:
    """The tickets, with those of one unique key joined: the first, with the highest priority and the earliest time."""
    kept: dict[object, Ticket] = {}
    for ticket in tickets:
        key = ticket.id if ticket.unique_key is None else (ticket.job, ticket.unique_key)
        first = kept.setdefault(key, ticket)
        if first is not ticket:
            priority = max(first.priority, ticket.priority)
            kept[key] = msgspec.structs.replace(first, priority=priority, due=_earlier(first.due, ticket.due))
    return list(kept.values())


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return None if one is None or other is None else min(one, other)
