"""One attempt at a job, in either of the two ways a job may run."""

from collections.abc import Awaitable, Callable

import msgspec

from headwater.kernel.database import Database, Transactions, WritingTransaction
from headwater.kernel.jobs import queries
from headwater.kernel.jobs.declarations import JobRun
from headwater.kernel.jobs.models import BoundJob, Picked
from headwater.kernel.models import Effects


async def attempt(database: Database, bound: BoundJob, picked: Picked, effects: Effects) -> None:
    """Run the job, unless it is known to be finished, and remove its row; raises what the operation raises.

    `effects` receives what committed transactions leave to be carried out, also where a later one fails.
    """
    run = JobRun(
        id=str(picked.id),
        attempt=picked.attempt,
        arguments=msgspec.json.decode(picked.arguments, type=bound.declaration.arguments),
    )
    if bound.declaration.holds_connection:
        await _in_one_transaction(database, bound.operation, picked, run, effects)
    else:
        await _around_its_own_transactions(database, bound.operation, picked, run, effects)


async def _in_one_transaction(
    database: Database, operation: Callable[..., Awaitable[object]], picked: Picked, run: JobRun, effects: Effects
) -> None:
    async def work(tx: WritingTransaction) -> None:
        if await queries.add_finished(tx, picked.id, picked.job):
            await operation(tx, run)
        await queries.remove_job(tx, picked.id)

    _, left_behind = await database.writing(work)
    effects.absorb(left_behind)


async def _around_its_own_transactions(
    database: Database, operation: Callable[..., Awaitable[object]], picked: Picked, run: JobRun, effects: Effects
) -> None:
    async def finish(tx: WritingTransaction) -> None:
        await queries.add_finished(tx, picked.id, picked.job)
        await queries.remove_job(tx, picked.id)

    transactions = Transactions(database)
    try:
        if not await database.single(lambda tx: queries.is_finished(tx, picked.id)):
            await operation(transactions, run)
        await transactions.writing(finish)
    finally:
        effects.absorb(transactions.effects)
