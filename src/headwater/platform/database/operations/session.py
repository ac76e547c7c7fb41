"""A connection for SQL that others wrote: in one transaction, and closed after it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import asyncpg
from asyncpg.transaction import Transaction

from headwater.kernel.database import CONNECTION_LOST, Connection, Database, Login, refusal_for
from headwater.kernel.database.errors import CommitUnknown
from headwater.kernel.errors import DatabaseUnavailable, Refusal
from headwater.platform.database import queries, rules
from headwater.platform.database.errors import SqlFailed, UnshowableValue
from headwater.platform.database.models import Statement, TrialFailure

_OF_THE_SERVER = ("08", "53", "57P")
"""SQLSTATES that say nothing of the SQL: the connection and the server."""


@asynccontextmanager
async def own_connection(
    database: Database, login: Login, claims: str | None, *, undo: bool = False, readonly: bool = False
) -> AsyncGenerator[Connection]:
    """A connection in a transaction, committed at the end unless `undo`.

    SQL of others may leave settings, temporary tables or locks on its session; so it is closed, not lent again,
    and what was not committed ends with it. What Postgres refuses is raised as the refusal it deserves.
    """
    connection = await database.lease.take(login)
    try:
        await connection.set_type_codec("interval", schema="pg_catalog", encoder=tuple, decoder=tuple, format="tuple")
        transaction = connection.transaction(readonly=readonly)
        await transaction.start()
        if claims is not None:
            await queries.set_claims(connection, claims)
        yield connection
        if not undo:
            await _commit(transaction)
    except asyncpg.PostgresError as failure:
        raise refusal_of(failure) from failure
    except CONNECTION_LOST as failure:
        raise DatabaseUnavailable from failure
    except (asyncpg.UnsupportedClientFeatureError, OverflowError, ValueError) as failure:
        raise UnshowableValue from failure
    except asyncpg.InterfaceError as failure:
        if connection.is_closed():
            raise DatabaseUnavailable from failure
        raise
    finally:
        database.lease.give_back(login, connection, dirty=True)


def refusal_of(failure: asyncpg.PostgresError) -> Refusal:
    """Whatever Postgres refuses of the admin's own SQL is the SQL's fault, and told with its SQLSTATE."""
    return refusal_for(failure) or SqlFailed(reason=failure.message or str(failure), sqlstate=failure.sqlstate)


async def run_statements(
    connection: Connection, statements: Sequence[Statement]
) -> tuple[list[str], TrialFailure | None]:
    """Run statements until one fails: what Postgres answered to each, and what it says of the one that failed."""
    answers: list[str] = []
    for number, statement in enumerate(statements, 1):
        try:
            answers.append(await connection.execute(statement.text))
        except asyncpg.PostgresError as failure:
            state = str(failure.sqlstate or "")
            if state.startswith(_OF_THE_SERVER):
                raise
            inside = int(position) if (position := getattr(failure, "position", None)) else rules.first_word(statement)
            told = TrialFailure(
                reason=_reason(failure), statement=number, position=statement.start + inside, sqlstate=state
            )
            return answers, told
    return answers, None


def _reason(failure: asyncpg.PostgresError) -> str:
    """Postgres' message, with its detail and hint where it gives them."""
    parts = (failure.message or str(failure), getattr(failure, "detail", None), getattr(failure, "hint", None))
    return ". ".join(str(part).rstrip(".") for part in parts if part)


async def _commit(tx: Transaction) -> None:
    """Commit; where the connection is lost meanwhile, nobody knows whether it happened, and that is told."""
    try:
        await tx.commit()
    except (*CONNECTION_LOST, asyncpg.InterfaceError) as failure:
        raise CommitUnknown(headers={"Retry-After": "1"}) from failure
