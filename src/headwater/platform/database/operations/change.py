"""Changes of the schema: one transaction, told to the catalog before the answer leaves, and audited."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import asyncpg

from headwater.kernel.catalog import CATALOG, Catalog
from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction, refusal_for
from headwater.kernel.errors import Refusal
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import Principal
from headwater.platform.database import queries, rules
from headwater.platform.database.errors import (
    ChangeRefused,
    ObjectExists,
    ObjectNotFound,
    SchemaLocked,
    SchemaNotFound,
    TableNotFound,
)

MODULE = "DATABASE"
_TOLD_AS_IT_IS = ("08", "40", "53", "57", "42501")
"""SQLSTATES that say nothing of the change itself: the connection, other transactions, the caller's rights."""
_EXISTS = (
    asyncpg.DuplicateObjectError,
    asyncpg.DuplicateSchemaError,
    asyncpg.DuplicateFunctionError,
    asyncpg.DuplicateTableError,
)
_MISSING = (asyncpg.UndefinedObjectError, asyncpg.UndefinedTableError)

T = TypeVar("T")


async def change_schema(
    transactions: Transactions,
    principal: Principal,
    work: Callable[[WritingTransaction], Awaitable[T]],
    action: str,
    details: Mapping[str, object],
) -> T:
    """Run `work` as the principal, all of it or nothing; then the catalog is read anew, and the audit log knows.

    Raises `SchemaLocked` where others hold what is to be changed, and whatever `work` raises.
    """

    async def bounded(tx: WritingTransaction) -> T:
        await queries.limit_lock_wait(tx)
        result = await work(tx)
        tx.forget(CATALOG)
        tx.audit(AuditEntry(action=action, module=MODULE, details=details))
        return result

    try:
        return await transactions.writing(bounded, principal)
    except asyncpg.LockNotAvailableError as failure:
        raise SchemaLocked from failure


async def execute(tx: WritingTransaction, statement: str, subject: str, *, ending: bool = False) -> None:
    """Run a statement of the schema's, which may be `ending` the subject.

    Raises `ObjectExists`, `ObjectNotFound` where what ends is not there, and `ChangeRefused` with Postgres' reason.
    """
    try:
        await tx.execute(statement)
    except asyncpg.LockNotAvailableError:
        raise
    except asyncpg.PostgresError as failure:
        if str(failure.sqlstate).startswith(_TOLD_AS_IT_IS) and refusal_for(failure) is not None:
            raise
        raise change_refusal(failure, subject, ending=ending) from failure


def change_refusal(failure: asyncpg.PostgresError, subject: str, *, ending: bool = False) -> Refusal:
    """What Postgres' refusal of a change is to the caller."""
    if isinstance(failure, _EXISTS):
        return ObjectExists(subject=subject, reason=failure.message)
    if ending and isinstance(failure, _MISSING):
        return ObjectNotFound(subject=subject)
    hint = getattr(failure, "hint", None)
    return ChangeRefused(subject=subject, reason=reason_of(failure), sqlstate=failure.sqlstate, next_actions=hint)


def reason_of(failure: asyncpg.PostgresError) -> str:
    """What Postgres says of a failure, with the detail that names the row or the object."""
    message = failure.message or str(failure)
    detail = getattr(failure, "detail", None)
    return f"{message}: {detail}" if detail else message


async def must_exist(tx: ReadingTransaction, schema: str) -> None:
    """Raise `SchemaNotFound` unless there is such a schema."""
    if not await queries.schema_exists(tx, schema):
        raise SchemaNotFound(schema=schema)


async def find_own_table(tx: ReadingTransaction, catalog: Catalog, schema: str, table: str) -> int:
    """The OID of a developer's table; raises `SchemaIsInternal` and `TableNotFound`."""
    rules.must_be_developers_own(schema, catalog.internal_schemas)
    found = await queries.find_table(tx, schema, table)
    if found is None:
        raise TableNotFound(table=table)
    return found


async def must_have(tx: ReadingTransaction, catalog: Catalog, schema: str, table: str) -> None:
    """Raise `SchemaIsInternal` or `TableNotFound` unless a developer's schema has such a table or view."""
    rules.must_be_developers_own(schema, catalog.internal_schemas)
    if not await queries.relation_exists(tx, schema, table):
        raise TableNotFound(table=table)
