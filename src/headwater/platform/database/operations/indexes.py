"""Indexes listed, made and ended."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from headwater.kernel.catalog import CATALOG, Catalog
from headwater.kernel.database import (
    CONNECTION_LOST,
    Connection,
    Database,
    Login,
    ReadingTransaction,
    Transactions,
    WritingTransaction,
)
from headwater.kernel.errors import DatabaseUnavailable
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import Principal
from headwater.platform.database import queries, rules, sql
from headwater.platform.database.models import (
    ChangedObject,
    EndedIndex,
    IndexEntry,
    IndexList,
    InSchema,
    NewIndex,
)
from headwater.platform.database.operations.change import (
    MODULE,
    change_refusal,
    change_schema,
    execute,
    must_exist,
    must_have,
)


@dataclass(frozen=True)
class Indexes:
    """What makes rows quick to find."""

    database: Database
    catalog: Catalog

    async def list_indexes(self, tx: ReadingTransaction, principal: Principal, body: InSchema) -> IndexList:
        """The indexes of a schema's tables. Raises `SchemaNotFound`."""
        await must_exist(tx, body.schema)
        rows = await queries.list_indexes(tx, body.schema)
        return IndexList(indexes=tuple(IndexEntry(**dict(row)) for row in rows))

    async def create_index(self, transactions: Transactions, principal: Principal, body: NewIndex) -> ChangedObject:
        """Make an index; with `concurrently` writers are not held up, and a build that fails leaves nothing behind.

        Raises `InvalidIndex`, `InvalidName`, `InvalidExpression`, `SchemaIsInternal`, `TableNotFound`,
        `ObjectExists`, `ChangeRefused`.
        """
        parts = rules.parts_of(body)
        name = rules.must_be_a_name(sql.index_name(body, parts), "indexName")
        statement = sql.create_index(body, parts)
        details = {"schema": body.schema, "table": body.table_name, "index": name}

        async def work(tx: WritingTransaction) -> None:
            await must_have(tx, self.catalog, body.schema, body.table_name)
            if body.concurrently:
                tx.audit(AuditEntry(action="CREATE_INDEX_CONCURRENTLY", module=MODULE, details=details))
            else:
                await execute(tx, statement, f"Index {name}")

        if body.concurrently:
            await transactions.writing(work, principal)
            remains = sql.drop_index(body.schema, name, concurrently=True, if_exists=True)
            await self._run_alone(transactions, statement, f"Index {name}", undo=remains)
        else:
            await change_schema(transactions, principal, work, "CREATE_INDEX", details)
        return ChangedObject(
            message=f"Index {name} created", schema_name=body.schema, name=name, table_name=body.table_name
        )

    async def drop_index(self, transactions: Transactions, principal: Principal, body: EndedIndex) -> ChangedObject:
        """End an index that no key stands on. Raises `SchemaIsInternal`, `ObjectNotFound`, `ChangeRefused`."""
        rules.must_be_developers_own(body.schema, self.catalog.internal_schemas)
        statement = sql.drop_index(body.schema, body.name, concurrently=body.concurrently)
        details = {"schema": body.schema, "index": body.name}

        async def work(tx: WritingTransaction) -> None:
            if body.concurrently:
                tx.audit(AuditEntry(action="DROP_INDEX_CONCURRENTLY", module=MODULE, details=details))
            else:
                await execute(tx, statement, f"Index {body.name}", ending=True)

        if body.concurrently:
            await transactions.writing(work, principal)
            await self._run_alone(transactions, statement, f"Index {body.name}", ending=True)
        else:
            await change_schema(transactions, principal, work, "DROP_INDEX", details)
        return ChangedObject(message=f"Index {body.name} dropped", schema_name=body.schema, name=body.name)

    async def _run_alone(
        self, transactions: Transactions, statement: str, subject: str, *, undo: str = "", ending: bool = False
    ) -> None:
        """Run a statement that no transaction may hold, as long as it takes; where it fails, `undo` what it left.

        What is not undone, because the connection was lost, the advisor finds.
        """
        async with _lone_connection(self.database) as connection:
            try:
                await connection.execute(statement)
            except asyncpg.PostgresError as failure:
                refusal = change_refusal(failure, subject, ending=ending)
                if undo and not isinstance(failure, asyncpg.DuplicateTableError):
                    await connection.execute(undo)
                raise refusal from failure
        await transactions.writing(_forget_catalog)


@asynccontextmanager
async def _lone_connection(database: Database) -> AsyncGenerator[Connection]:
    """A connection of the admin's, without a transaction and without a limit of time; it is closed after it."""
    connection = await database.lease.take(Login.ADMIN)
    try:
        await connection.execute(sql.NO_TIMEOUT)
        yield connection
    except CONNECTION_LOST as failure:
        raise DatabaseUnavailable from failure
    finally:
        database.lease.give_back(Login.ADMIN, connection, dirty=True)


async def _forget_catalog(tx: WritingTransaction) -> None:
    tx.forget(CATALOG)
