"""Many rows at once: files of CSV and JSON into a table, whole or not at all."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from functools import partial

import asyncpg

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import (
    Connection,
    Database,
    Login,
    ReadingTransaction,
    Transactions,
    WritingTransaction,
)
from headwater.kernel.models import AuditEntry, RawRequest
from headwater.kernel.principal import Principal
from headwater.platform.database import queries, rules, sql
from headwater.platform.database.errors import NotAKey, SameKeyTwice, TableNotFound
from headwater.platform.database.models import Load, LoadedRows, RunningLoad, RunningLoads, Upload
from headwater.platform.database.operations.change import MODULE
from headwater.platform.database.operations.session import own_connection
from headwater.platform.database.parse import as_copy, csv_columns, json_rows, read_upload, without_mark

LOAD_SECONDS = 600.0
LOCK_SECONDS = 10.0
CHUNK = 256 * 1024
ROWS_AT_ONCE = 50_000
"""Rows written by one statement: often enough for the progress to move, seldom enough to cost nothing."""
_OF_A_ROW = ("21", "22", "23", "P0", "44")
"""SQLSTATES that are one row's fault: its values, the constraints, what triggers raise."""


@dataclass(frozen=True)
class Loads:
    """What the admin does with many rows; everything runs as `project_admin`, under the table's own rules."""

    database: Database
    catalog: Catalog

    async def bulk_upsert(self, transactions: Transactions, principal: Principal, body: RawRequest) -> LoadedRows:
        """Write every row of a CSV or JSON file into a table, or none.

        With `upsertKey` a row that is there is changed. Raises `InvalidUpload`, `TableNotFound`, `SchemaIsInternal`,
        `NotAKey`, `SameKeyTwice`, and `RowRefused` or `RowExists` with the row and its column.
        """
        upload = read_upload(body)
        schema, table = upload.fields.get("schema") or "public", rules.wanted(upload, "table")
        rules.must_be_developers_own(schema, self.catalog.internal_schemas)
        load_id = rules.load_id(upload, body.id)
        types = await transactions.reading(lambda tx: _types(tx, schema, table), principal)
        load = await asyncio.to_thread(_prepared, upload, schema, table, types)
        if load is None:
            return _loaded(table, upload, 0, 0)
        total, written = await self._carry_out(load, principal, load_id)
        await transactions.writing(lambda tx: _audit(tx, load, written))
        return _loaded(table, upload, total, written)

    async def list_loads(self, transactions: Transactions, principal: Principal, body: None) -> RunningLoads:
        """The loads at work, on whichever node, and how far each is."""
        rows = await transactions.reading(queries.list_loads, principal)
        return RunningLoads(
            running=tuple(
                RunningLoad(
                    id=row["id"],
                    phase="reading" if row["tuples"] is not None else "writing",
                    rows_done=row["done"] if row["tuples"] is None else row["tuples"],
                    rows_total=row["total"],
                    bytes_done=row["bytes"],
                )
                for row in rows
            )
        )

    async def _carry_out(self, load: Load, principal: Principal, load_id: str) -> tuple[int, int]:
        """Rows in the file and rows written; what refuses a row without saying which is found by going on in parts."""
        if not load.key:
            try:
                async with own_connection(self.database, Login.ADMIN, principal.claims_json) as connection:
                    await _begin(connection, load_id)
                    if not await queries.row_security_holds(connection, load.schema, load.table):
                        count = await _copy(connection, load, incoming=False)
                        await _advance_sequences(connection, load)
                        return count, count
            except _UnplacedRow:
                pass
        async with own_connection(self.database, Login.ADMIN, principal.claims_json) as connection:
            await _begin(connection, load_id)
            counts = await _write_in_parts(connection, load, load_id)
            await _advance_sequences(connection, load)
            return counts


class _UnplacedRow(Exception):
    """A row was refused, and nobody said which."""


async def _types(tx: ReadingTransaction, schema: str, table: str) -> dict[str, str]:
    """The columns of a table with the types by which they are declared; raises `TableNotFound`."""
    oid = await queries.find_table(tx, schema, table)
    if oid is None:
        raise TableNotFound(table=table)
    return {row["name"]: row["type"] for row in await queries.list_columns(tx, oid)}


def _prepared(upload: Upload, schema: str, table: str, types: Mapping[str, str]) -> Load | None:
    """What is to be loaded, as its first row tells; None where there are no rows."""
    kind, key = rules.kind_of(upload), rules.upsert_key(upload)
    content = without_mark(upload.content)
    load = partial(Load, schema=schema, table=table, key=key, content=content)
    if kind == "csv":
        delimiter = rules.delimiter(upload)
        columns = csv_columns(content, delimiter)
        rules.must_fit(columns, key, types, table)
        blank_is_null = rules.blank_is_null(columns, types)
        return load(columns=columns, is_csv=True, delimiter=delimiter, blank_is_null=blank_is_null)
    by_lines = kind == "lines"
    first = next(json_rows(content, by_lines=by_lines), None)
    if first is None:
        return None
    columns = tuple(first)
    rules.must_fit(columns, key, types, table)
    declared = tuple(types[column] for column in columns)
    return load(columns=columns, is_csv=False, by_lines=by_lines, types=declared)


async def _begin(connection: Connection, load_id: str) -> None:
    await queries.limit_waiting(connection, LOAD_SECONDS, LOCK_SECONDS)
    await queries.tell_progress(connection, load_id, 0, None)


async def _copy(connection: Connection, load: Load, *, incoming: bool) -> int:
    """Let Postgres read the file; how many rows it has. Raises `RowRefused`, `RowExists`, `_UnplacedRow`."""
    try:
        return await queries.copy_rows(connection, load, _chunks(load), LOAD_SECONDS, incoming=incoming)
    except asyncpg.PostgresError as failure:
        line, column = rules.place_in_file(getattr(failure, "context", None))
        state = str(failure.sqlstate)
        if not state.startswith(_OF_A_ROW):
            raise
        if line is None:
            raise _UnplacedRow from failure
        column = column or getattr(failure, "column_name", None)
        columns = [column] if column else []
        where = f"line {line}" if load.is_csv else f"row {line}"
        raise rules.refused_row(where, columns, _reason(failure), state) from failure


async def _chunks(load: Load) -> AsyncGenerator[bytes]:
    """What COPY is to read. JSON is translated piece by piece, beside the loop; nobody else is waited for."""
    if load.is_csv:
        for start in range(0, len(load.content), CHUNK):
            yield bytes(load.content[start : start + CHUNK])
        return
    types = dict(zip(load.columns, load.types, strict=True))
    pieces = as_copy(json_rows(load.content, by_lines=load.by_lines), types)
    while piece := await asyncio.to_thread(next, pieces, b""):
        yield piece


async def _write_in_parts(connection: Connection, load: Load, load_id: str) -> tuple[int, int]:
    """Into a temporary table first, then from it in parts: rows read and rows written."""
    await connection.execute(sql.create_incoming(load))
    total = await _copy(connection, load, incoming=True)
    if load.key and (twin := await connection.fetchrow(sql.count_twins(load))) is not None:
        raise SameKeyTwice(key=", ".join(load.key), value=", ".join(str(value) for value in twin))
    pages = await queries.count_pages(connection)
    step = max(1, pages * ROWS_AT_ONCE // max(total, 1))
    written = 0
    for first in range(0, pages, step):
        await queries.tell_progress(connection, load_id, written, total)
        written += await _write_part(connection, load, f"({first},0)", f"({first + step},0)")
    return total, written


async def _advance_sequences(connection: Connection, load: Load) -> None:
    """Let the next row without a number of its own get one that is free."""
    table = sql.qualified(load.schema, load.table)
    for counter in await queries.list_counters(connection, table, load.columns):
        place = (table, counter.column, counter.sequence, counter.step)
        if await queries.is_behind(connection, sql.find_behind(*place)):
            if counter.is_ours:
                await connection.execute(sql.hold_sequence(counter.sequence, counter.step))
            await connection.execute(sql.advance_sequence(*place))


async def _write_part(connection: Connection, load: Load, first: str, last: str) -> int:
    try:
        async with connection.transaction():
            return await _insert(connection, load, first, last)
    except asyncpg.InvalidColumnReferenceError as failure:
        raise NotAKey(key=", ".join(load.key), table=load.table) from failure
    except asyncpg.PostgresError as failure:
        state = str(failure.sqlstate)
        if not state.startswith(_OF_A_ROW):
            raise
        place = await _find_refused(connection, load, first, last)
        columns = await _columns_of(connection, load, failure)
        number = await queries.count_before(connection, place) + 1
        raise rules.refused_row(f"row {number}", columns, _reason(failure), state) from failure


async def _insert(connection: Connection, load: Load, first: str, last: str) -> int:
    tag = await connection.execute(sql.insert_incoming(load), first, last)
    return int(tag.rpartition(" ")[2])


async def _find_refused(connection: Connection, load: Load, first: str, last: str) -> str:
    """The place of the first row that is refused after all those before it in this part, by halving."""
    places = await queries.find_places(connection, first, last)
    good, bad = 0, len(places)
    while bad - good > 1:
        middle = (good + bad) // 2
        attempt = connection.transaction()
        await attempt.start()
        try:
            await _insert(connection, load, first, places[middle])
            good = middle
        except asyncpg.PostgresError:
            bad = middle
        finally:
            await attempt.rollback()
    return places[bad - 1]


async def _columns_of(connection: Connection, load: Load, failure: asyncpg.PostgresError) -> list[str]:
    """The columns that a failure is about, as far as Postgres says; constraints are asked for theirs."""
    column = getattr(failure, "column_name", None)
    if column:
        return [column]
    constraint = getattr(failure, "constraint_name", None)
    if constraint:
        return await queries.list_constraint_columns(connection, load.schema, load.table, constraint)
    return []


def _reason(failure: asyncpg.PostgresError) -> str:
    """Postgres' message, with the key that it is about; a whole row is not repeated, because it is named."""
    detail = str(getattr(failure, "detail", None) or "")
    return f"{failure.message}. {detail}".rstrip(".") if detail.startswith("Key ") else str(failure.message)


async def _audit(tx: WritingTransaction, load: Load, written: int) -> None:
    details = {"schema": load.schema, "table": load.table, "rows": written}
    tx.audit(AuditEntry(action="BULK_UPSERT", module=MODULE, details=details))


def _loaded(table: str, upload: Upload, total: int, written: int) -> LoadedRows:
    return LoadedRows(
        success=True,
        message=f"{written} of {total} rows written",
        table=table,
        rows_affected=written,
        total_records=total,
        filename=upload.filename,
    )
