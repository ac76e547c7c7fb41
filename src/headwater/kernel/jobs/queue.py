"""pgqueuer's queue on connections of ours: what is done here is part of their transactions."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal
from uuid import UUID

import msgspec
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.models import Job as Row
from pgqueuer.domain.models import TracebackRecord
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import JobId, QueueEntrypoint, QueueManagerId
from pgqueuer.ports.repository import EntrypointExecutionParameter

from headwater.kernel.database import Connection
from headwater.kernel.jobs.models import Ticket

_SETTINGS = DBSettings.model_validate(
    {
        "prefix": "",
        "db_schema": "system",
        "channel": "ch_pgqueuer",
        "function": "fn_pgqueuer_changed",
        "statistics_table": "pgqueuer_statistics",
        "queue_status_type": "pgqueuer_status",
        "queue_table": "pgqueuer",
        "queue_table_log": "pgqueuer_log",
        "trigger": "tg_pgqueuer_changed",
        "schedules_table": "pgqueuer_schedules",
        "durability": Durability.durable,
        "widen_id": True,
    }
)
"""Every name, because one that is left out may come from any environment variable called CHANNEL or TRIGGER."""

_ENVIRONMENT = QueryBuilderEnvironment(_SETTINGS)
_BUILDER = QueryQueueBuilder(_SETTINGS)
_SCHEDULER = QuerySchedulerBuilder(_SETTINGS)
_NO_LIMIT = EntrypointExecutionParameter(concurrency_limit=0)

Settled = Literal["successful", "exception", "failed"]
"""Done; failed and to be tried again; failed for good, and kept."""


class _Payload(msgspec.Struct, frozen=True):
    id: UUID
    attempts: int
    arguments: msgspec.Raw


class Picked(msgspec.Struct, frozen=True):
    """A ticket in a worker's hands, and the row it came with; `attempt` counts from 1."""

    row: Row
    ticket: Ticket
    attempt: int


def queue_over(connection: Connection) -> Queries:
    """Pgqueuer's own statements, on this connection."""
    return Queries(AsyncpgDriver(connection), qbe=_ENVIRONMENT, qbq=_BUILDER, qbs=_SCHEDULER)


async def enqueue(connection: Connection, tickets: Sequence[Ticket]) -> None:
    """Put tickets into the queue."""
    await queue_over(connection).enqueue(
        [ticket.job for ticket in tickets],
        [msgspec.json.encode(_Payload(ticket.id, ticket.attempts, ticket.arguments)) for ticket in tickets],
        [0] * len(tickets),
        dedupe_key=[str(ticket.id) for ticket in tickets],
    )


async def dequeue(
    connection: Connection, names: Sequence[str], worker: UUID, limit: int, heartbeat: float
) -> list[Row]:
    """Pick at most `limit` jobs of these names for the worker, also those of workers silent for `heartbeat` seconds."""
    return await queue_over(connection).dequeue(
        batch_size=limit,
        entrypoints={QueueEntrypoint(name): _NO_LIMIT for name in names},
        queue_manager_id=QueueManagerId(worker),
        global_concurrency_limit=None,
        heartbeat_timeout=timedelta(seconds=heartbeat),
    )


async def beat(connection: Connection, rows: Sequence[int]) -> None:
    """Say that the workers of these rows of the queue live."""
    await queue_over(connection).update_heartbeat([JobId(row) for row in rows])


async def settle(connection: Connection, row: Row, outcome: Settled, failure: Exception | None = None) -> None:
    """Write the outcome to the log; the row leaves the queue, except one that failed for good."""
    record = None if failure is None else TracebackRecord.from_exception(failure, row.id)
    await queue_over(connection).log_jobs([(row, outcome, record)])


def ticket_of(row: Row) -> Ticket:
    """The ticket that a row carries. Raises `msgspec.DecodeError` if somebody else wrote it."""
    payload = msgspec.json.decode(row.payload or b"", type=_Payload)
    return Ticket(payload.id, row.entrypoint, payload.attempts, payload.arguments)
