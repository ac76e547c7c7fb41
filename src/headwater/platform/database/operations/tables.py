"""The admin's side of the database: tables made, described and ended; SQL run."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import msgspec

from headwater.kernel.catalog import CATALOG, Catalog
from headwater.kernel.database import (
    Connection,
    Database,
    Login,
    ReadingTransaction,
    Row,
    Transactions,
    WritingTransaction,
)
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import Principal
from headwater.platform.database import queries, rules, sql
from headwater.platform.database.errors import TableExists, TableNotFound
from headwater.platform.database.models import (
    Action,
    ColumnReference,
    CreatedTable,
    DescribedColumn,
    DescribedTable,
    DroppedTable,
    ForeignKey,
    ListTables,
    NamedTable,
    NewTable,
    Sql,
    SqlResult,
    Statement,
    StatementResult,
    WantedTable,
)
from headwater.platform.database.operations.change import MODULE, must_exist
from headwater.platform.database.operations.session import own_connection, refusal_of
from headwater.platform.database.parse import parse_statements, parse_type
from headwater.platform.database.shape import result_of

_LONGEST_AUDITED = 10_000
_MADE_MEANWHILE = (asyncpg.DuplicateTableError, asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError)
"""How Postgres says that another transaction has just made the table: by its name, its row type, or its catalog."""
_ACTIONS: dict[str, Action] = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


@dataclass(frozen=True)
class DatabaseAdmin:
    """What the project's admin does with tables and SQL; everything but the unrestricted runs as `project_admin`."""

    database: Database
    catalog: Catalog

    async def list_tables(self, tx: ReadingTransaction, principal: Principal, body: ListTables) -> list[str]:
        """The names of a schema's tables, sorted. Raises `SchemaNotFound`."""
        await must_exist(tx, body.schema)
        return await queries.list_tables(tx, body.schema)

    async def describe_table(
        self, transactions: Transactions, principal: Principal, body: NamedTable
    ) -> DescribedTable:
        """A table's columns and foreign keys, and how many rows it has. Raises `TableNotFound`."""

        async def work(tx: ReadingTransaction) -> DescribedTable:
            table = await queries.find_table(tx, body.schema, body.table)
            if table is None:
                raise TableNotFound(table=body.table)
            columns = await queries.list_columns(tx, table)
            keys = await queries.list_foreign_keys(tx, table)
            relation = await queries.describe_relation(tx, table)
            if relation is None:
                raise TableNotFound(table=body.table)
            return DescribedTable(
                schema_name=body.schema,
                table_name=body.table,
                columns=tuple(map(_described, columns)),
                foreign_keys=tuple(_foreign_key(key, body.schema) for key in keys),
                record_count=await tx.value(sql.count_rows(body.schema, body.table)),
                rls_enabled=relation["row_security"],
                comment=_told(relation["comment"]),
            )

        return await transactions.reading(work, principal)

    async def create_table(self, transactions: Transactions, principal: Principal, body: WantedTable) -> CreatedTable:
        """Make a table with the columns asked for, an id, the times of each row, and row-level security.

        Raises `SchemaNotFound`, `SchemaIsInternal`, `TableExists`, and what `rules.new_table` raises.
        """
        rules.must_be_developers_own(body.schema, self.catalog.internal_schemas)
        table = rules.new_table(body, parse_type)

        async def work(tx: WritingTransaction) -> None:
            await must_exist(tx, table.schema)
            if await queries.relation_exists(tx, table.schema, table.name):
                raise TableExists(table=table.name)
            needs_policy = not await queries.admin_bypasses_row_security(tx)
            for statement in sql.create_table(table, admin_needs_policy=needs_policy):
                await tx.execute(statement)
            tx.forget(CATALOG)
            tx.audit(_audited("CREATE_TABLE", table.schema, table.name))

        try:
            await transactions.writing(work, principal)
        except _MADE_MEANWHILE as failure:
            raise TableExists(table=table.name) from failure
        except asyncpg.UndefinedObjectError as failure:  # a type that nobody made
            raise refusal_of(failure) from failure
        return _created(table)

    async def drop_table(self, transactions: Transactions, principal: Principal, body: NamedTable) -> DroppedTable:
        """End a table, its rows and whatever depends on it. Raises `TableNotFound` and `SchemaIsInternal`."""
        rules.must_be_developers_own(body.schema, self.catalog.internal_schemas)

        async def work(tx: WritingTransaction) -> None:
            if await queries.find_table(tx, body.schema, body.table) is None:
                raise TableNotFound(table=body.table)
            await tx.execute(sql.drop_table(body.schema, body.table))
            tx.forget(CATALOG)
            tx.audit(_audited("DROP_TABLE", body.schema, body.table))

        await transactions.writing(work, principal)
        return DroppedTable(
            schema_name=body.schema,
            message=f"Table {body.table} dropped",
            table_name=body.table,
            next_actions="Foreign keys of other tables to this one are gone with it: review those tables",
        )

    async def run_sql(self, transactions: Transactions, principal: Principal, body: Sql) -> SqlResult:
        """Run SQL as `project_admin`: all of its statements, or none. Raises what `_run` raises."""
        return await self._run(transactions, Login.ADMIN, principal.claims_json, body)

    async def run_sql_unrestricted(self, transactions: Transactions, principal: Principal, body: Sql) -> SqlResult:
        """Run SQL as the owner of every schema (no superuser): all of its statements, or none."""
        return await self._run(transactions, Login.OWNER, None, body)

    async def _run(self, transactions: Transactions, login: Login, claims: str | None, body: Sql) -> SqlResult:
        """Run SQL in one transaction on a connection that nobody gets after it.

        The attempt is audited before it is made, so that it stands even where it fails. Raises `UnparsableSql`,
        `ForbiddenStatement`, `WrongParameters`, `UnexplainableSql`, `SqlFailed`, and what `refusal_for` gives.
        """
        statements = await asyncio.to_thread(parse_statements, body.query)
        rules.must_be_harmless(statements)
        rules.must_be_alone(statements, body.params)
        if body.explain:
            rules.must_be_explainable(statements)
        await transactions.writing(lambda tx: _announce(tx, login, body.query, statements))
        async with own_connection(self.database, login, claims, undo=body.explain, readonly=body.explain) as connection:
            texts = [sql.explain(s.text) if body.explain else s.text for s in statements]
            found = [await _found(connection, text, body.params) for text in texts]
        return _joined(await asyncio.to_thread(lambda: [result_of(*one) for one in found]))


async def _announce(tx: WritingTransaction, login: Login, query: str, statements: Sequence[Statement]) -> None:
    tx.audit(
        AuditEntry(
            action="RUN_SQL",
            module=MODULE,
            details={"query": query[:_LONGEST_AUDITED], "unrestricted": login is Login.OWNER},
        )
    )
    if any(statement.changes_schema for statement in statements):
        tx.forget(CATALOG)


async def _found(
    connection: Connection, text: str, parameters: Sequence[object]
) -> tuple[Sequence[asyncpg.Attribute], Sequence[Row], str]:
    """What one statement gives; Postgres itself reads the parameters as the types it has inferred for them."""
    prepared = await connection.prepare(text)
    types = prepared.get_parameters()
    rules.must_match(parameters, len(types))
    values: Sequence[object] = ()
    if types:
        names = await queries.name_types(connection, [kind.oid for kind in types])
        texts = [rules.written_for_postgres(value, name) for value, name in zip(parameters, names, strict=True)]
        values = tuple(await connection.fetchrow(sql.convert_texts(tuple(names)), *texts) or ())
    rows = await prepared.fetch(*values)
    return prepared.get_attributes(), rows, prepared.get_statusmsg() or ""


def _joined(results: Sequence[StatementResult]) -> SqlResult:
    """The last result, with all of them where there are several; an empty text gives an empty result."""
    if not results:
        return SqlResult(rows=[], row_count=None, fields=())
    last = results[-1]
    every = tuple(results) if len(results) > 1 else msgspec.UNSET
    return SqlResult(rows=last.rows, row_count=last.row_count, fields=last.fields, results=every)


def _audited(action: str, schema: str, table: str) -> AuditEntry:
    return AuditEntry(action=action, module=MODULE, details={"schema": schema, "table": table})


def _created(table: NewTable) -> CreatedTable:
    return CreatedTable(
        schema_name=table.schema,
        message=f"Table {table.name} created",
        table_name=table.name,
        columns=table.columns,
        auto_fields=rules.AUTO_FIELDS,
        next_actions=(
            "Row-level security is on and there is no policy yet, so users see no rows: create policies with SQL"
            if table.row_security
            else "Row-level security is off: everybody with a key reads and writes every row"
        ),
    )


def _described(row: Row) -> DescribedColumn:
    default: str | None = row["default"]
    return DescribedColumn(
        column_name=row["name"],
        type=rules.type_called(row["type"]),
        is_nullable=row["nullable"],
        is_primary_key=row["primary"],
        is_unique=row["single"],
        default_value=msgspec.UNSET if default is None else rules.default_called(default),
        comment=_told(row["comment"]),
    )


def _told(comment: str | None) -> str | msgspec.UnsetType:
    return msgspec.UNSET if comment is None else comment


def _foreign_key(row: Row, own_schema: str) -> ForeignKey:
    schema: str = row["schema"]
    pairs: zip[tuple[str, str]] = zip(row["sources"], row["targets"], strict=True)
    return ForeignKey(
        constraint_name=row["name"],
        reference_table=row["table"] if schema == own_schema else f"{schema}.{row['table']}",
        reference_columns=tuple(ColumnReference(source_column=own, reference_column=their) for own, their in pairs),
        on_delete=_ACTIONS[row["on_delete"]],
        on_update=_ACTIONS[row["on_update"]],
    )
