"""Exports of tables that keep what makes them tables, and imports of the same, all or nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from headwater.kernel.catalog import CATALOG, Catalog
from headwater.kernel.clock import Clock, moment
from headwater.kernel.database import Database, Login, ReadingTransaction, Row, Transactions, WritingTransaction
from headwater.kernel.models import AuditEntry, RawRequest
from headwater.kernel.principal import Principal
from headwater.platform.database import queries, rules, sql
from headwater.platform.database.errors import ImportFailed, InvalidUpload, SchemaNotFound, TableNotFound
from headwater.platform.database.models import (
    Export,
    Imported,
    NamedDefinition,
    SchemaFacts,
    SequenceFacts,
    Statement,
    TableFacts,
    TypeFacts,
    Upload,
    WantedExport,
)
from headwater.platform.database.operations.change import MODULE
from headwater.platform.database.operations.session import own_connection, run_statements
from headwater.platform.database.parse import parse_statements, read_upload, without_mark, written_tables

T = TypeVar("T")
IMPORT_SECONDS = 600.0
LOCK_SECONDS = 10.0
_FACTS = msgspec.json.Decoder(SchemaFacts)


@dataclass(frozen=True)
class Transfers:
    """What the admin takes out of the database and puts back in; everything runs as `project_admin`."""

    database: Database
    catalog: Catalog
    clock: Clock

    async def export_tables(self, transactions: Transactions, principal: Principal, body: WantedExport) -> Export:
        """Tables with their keys, constraints, indexes, sequences, policies, grants and triggers, and their rows.

        All of one moment. A table that has more rows than `rowLimit` is named in `truncated`. Raises `SchemaNotFound`,
        `SchemaIsInternal`, `TableNotFound`.
        """
        rules.must_be_developers_own(body.schema, self.catalog.internal_schemas)
        timestamp = moment(self.clock.now())

        async def work(tx: ReadingTransaction) -> Export:
            if not await queries.schema_exists(tx, body.schema):
                raise SchemaNotFound(schema=body.schema)
            facts = await _describe(tx, body, timestamp)
            truncated = await _truncated(tx, body, facts)
            content = await _written(tx, body, facts, truncated)
            return Export(format=body.format, content=content, timestamp=timestamp, truncated=truncated)

        return await transactions.reading(work, principal)

    async def import_file(self, transactions: Transactions, principal: Principal, body: RawRequest) -> Imported:
        """Run an export, or any SQL file, all of it or nothing.

        With `truncate` the tables it writes into are emptied first. Raises `InvalidUpload`, `UnparsableSql`,
        `ForbiddenStatement`, `ImportFailed` with the statement and the place of what failed.
        """
        upload = read_upload(body)
        text = await asyncio.to_thread(_script_in, upload)
        statements = await asyncio.to_thread(parse_statements, text)
        rules.must_be_harmless(statements)
        made, written = await asyncio.to_thread(written_tables, text)
        emptied = sorted(written - made) if rules.is_on(upload, "truncate") else []
        await transactions.writing(lambda tx: _announce(tx, upload, statements))
        async with own_connection(self.database, Login.ADMIN, principal.claims_json) as connection:
            await queries.limit_waiting(connection, IMPORT_SECONDS, LOCK_SECONDS)
            if emptied:
                await connection.execute(sql.truncate(emptied))
            answers, failure = await run_statements(connection, statements)
            if failure is not None:
                line, column = rules.place_in(text, failure.position)
                raise ImportFailed(
                    filename=upload.filename,
                    number=failure.statement,
                    line=line,
                    column=column,
                    reason=failure.reason,
                    sqlstate=failure.sqlstate,
                )
        return Imported(
            success=True,
            message=f"{len(statements)} statements run",
            filename=upload.filename,
            tables=tuple(sorted({name for _, name in made | written})),
            rows_imported=rules.inserted_rows(answers),
            file_size=len(upload.content),
        )


async def _describe(tx: ReadingTransaction, body: WantedExport, timestamp: str) -> SchemaFacts:
    """What was asked for, without rows; raises `TableNotFound`."""
    wanted = body.tables or await queries.list_tables(tx, body.schema)
    tables = {
        row["name"]: msgspec.json.decode(row["facts"], type=TableFacts)
        for row in await queries.describe_tables(tx, body.schema, wanted)
    }
    for name in body.tables:
        if name not in tables:
            raise TableNotFound(table=name)
    types = [_decoded(row, TypeFacts) for row in await queries.describe_types(tx, body.schema)]
    sequences = [
        await _with_position(tx, body.schema, _decoded(row, SequenceFacts))
        for row in await queries.describe_sequences(tx, body.schema)
    ]
    functions = await queries.describe_functions(tx, body.schema) if body.include_functions else []
    views = await queries.describe_views(tx, body.schema) if body.include_views else []
    return SchemaFacts(
        timestamp=timestamp,
        tables=tables,
        types=tuple(types if not body.tables else rules.used_types(types, tables)),
        functions=tuple(_decoded(row, NamedDefinition) for row in functions),
        sequences=rules.wanted_sequences(sequences, tables, body),
        views=tuple(_decoded(row, NamedDefinition) for row in views),
    )


async def _with_position(tx: ReadingTransaction, schema: str, facts: SequenceFacts) -> SequenceFacts:
    if facts.last_value is not None:
        return facts
    position = await queries.find_position(tx, sql.select_position(schema, facts.name))
    return msgspec.structs.replace(facts, next_value=None if position == facts.start else position)


def _decoded(row: Row, kind: type[T]) -> T:
    return msgspec.json.decode(row["facts"], type=kind)


async def _truncated(tx: ReadingTransaction, body: WantedExport, facts: SchemaFacts) -> dict[str, int]:
    """The tables with more rows than are exported, and how many they have."""
    if not body.include_data:
        return {}
    counts = {name: await tx.value(sql.count_own_rows(body.schema, name)) for name in _with_rows_of_its_own(facts)}
    return {name: count for name, count in counts.items() if count > body.row_limit}


async def _written(
    tx: ReadingTransaction, body: WantedExport, facts: SchemaFacts, truncated: Mapping[str, int]
) -> str | SchemaFacts | dict[str, str]:
    """What was described, with its rows, in the format asked for."""
    if body.format == "csv":
        tables = _with_rows_of_its_own(facts)
        return {name: await queries.copy_out(tx, _select(body, name, table)) for name, table in tables.items()}
    if body.format == "json":
        if not body.include_data:
            return facts
        tables = {name: await _with_rows(tx, body, name, table) for name, table in _with_rows_of_its_own(facts).items()}
        return msgspec.structs.replace(facts, tables={**facts.tables, **tables})
    rows: list[str] = []
    for name, table in _with_rows_of_its_own(facts).items() if body.include_data else ():
        selected = _select(body, name, table, as_texts=True)
        texts = [row["texts"] for row in await tx.rows(selected)]
        rows += sql.insert_texts(body.schema, name, sql.stored_columns(table), texts)
    return rules.script(sql.make_schema(body.schema, facts, rows=rows), facts.timestamp, truncated)


def _with_rows_of_its_own(facts: SchemaFacts) -> dict[str, TableFacts]:
    """The tables whose rows do not lie in partitions."""
    return {name: table for name, table in facts.tables.items() if table.partitioned_by is None}


def _select(body: WantedExport, name: str, table: TableFacts, *, as_texts: bool = False) -> str:
    return sql.select_rows(body.schema, name, table, body.row_limit, as_texts=as_texts)


async def _with_rows(tx: ReadingTransaction, body: WantedExport, name: str, table: TableFacts) -> TableFacts:
    rows: bytes = await tx.value(sql.select_json(_select(body, name, table)))
    return msgspec.structs.replace(table, rows=msgspec.Raw(rows))


def _script_in(upload: Upload) -> str:
    """The SQL of a file: as it is, or made of an export in JSON. Raises `InvalidUpload`."""
    try:
        if upload.filename.lower().endswith(".sql"):
            return str(without_mark(upload.content), "utf-8")
        if not upload.filename.lower().endswith(".json"):
            raise InvalidUpload(reason=f"{upload.filename or 'the file'} must end in .sql or .json")
        facts = _FACTS.decode(upload.content)
    except UnicodeDecodeError as failure:
        raise InvalidUpload(reason=f"it is not UTF-8: byte {failure.start + 1}") from failure
    except msgspec.DecodeError as failure:
        raise InvalidUpload(reason=f"it is no export in JSON: {failure}") from failure
    schema = upload.fields.get("schema") or "public"
    rows = [
        sql.insert_json(schema, name, sql.stored_columns(table), table.rows)
        for name, table in facts.tables.items()
        if table.rows is not msgspec.UNSET and sql.stored_columns(table)
    ]
    return rules.script(sql.make_schema(schema, facts, rows=rows), facts.timestamp, {})


async def _announce(tx: WritingTransaction, upload: Upload, statements: Sequence[Statement]) -> None:
    """The attempt is audited before it is made, so that it stands even where it fails."""
    details = {"filename": upload.filename, "bytes": len(upload.content), "statements": len(statements)}
    tx.audit(AuditEntry(action="IMPORT_SQL", module=MODULE, details=details))
    if any(statement.changes_schema for statement in statements):
        tx.forget(CATALOG)
