"""Rows looked at and changed by hand, as the dashboard's grid does."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import groupby

import msgspec

from headwater.kernel.database import Connection, Database, Login, Transactions, WritingTransaction
from headwater.kernel.models import AuditEntry, RawRequest, Reply
from headwater.kernel.principal import Principal
from headwater.platform.database import queries, rules, sql
from headwater.platform.database.errors import AmbiguousRecord, RecordNotFound, TableNotFound
from headwater.platform.database.models import (
    ChangedRecord,
    DeletedRecords,
    EndedRecords,
    ListRecords,
    Question,
    RecordColumn,
    RecordList,
    RecordTable,
    StatementResult,
)
from headwater.platform.database.operations.change import MODULE
from headwater.platform.database.operations.session import own_connection
from headwater.platform.database.parse import parse_lookup, parse_records
from headwater.platform.database.shape import result_of


@dataclass(frozen=True)
class AdminRecords:
    """What the project's admin does with rows, past row-level security; values have node-pg's forms."""

    database: Database

    async def list_records(self, transactions: Transactions, principal: Principal, body: ListRecords) -> Reply:
        """A page of a table's rows: those with a value, those that hold a text, sorted.

        `Content-Range` tells which rows of how many, and the status is 206 where there are more.
        Raises `TableNotFound`, `ColumnNotFound`, `InvalidRecords`.
        """
        equal = rules.filter_of(body.filter_column, body.filter_value)
        pattern = rules.pattern_of(body.search) if body.search else None
        async with self._looking(principal) as connection:
            table = await _find_table(connection, body.schema, body.table)
            if equal is not None:
                rules.must_know(equal[:1], table, "filterColumn")
            sortings = rules.sorting_of(body.sort, table)
            counting = sql.count_records(table, equal, pattern)
            total: int = await connection.fetchval(counting.text, *counting.arguments)
            page = sql.list_records(table, equal, pattern, sortings, body.limit, body.offset)
            rows = (await _answer(connection, page)).rows
        return Reply(
            status=206 if len(rows) < total else 200,
            headers=(
                ("Content-Range", rules.content_range(body.offset, len(rows), total)),
                ("Preference-Applied", "count=exact"),
            ),
            body=msgspec.json.encode(rows),
        )

    async def find_record(
        self, transactions: Transactions, principal: Principal, body: RawRequest
    ) -> dict[str, object] | None:
        """A row that has the values asked for, or null. Raises `InvalidRecords`, `TableNotFound`, `ColumnNotFound`."""
        lookup = parse_lookup(body.query)
        async with self._looking(principal) as connection:
            table = await _find_table(connection, lookup.schema, body.parameters["table"])
            rules.must_know(lookup.values, table, "column")
            rows = (await _answer(connection, sql.find_record(table, lookup.values))).rows
        return rows[0] if rows else None

    async def create_records(self, transactions: Transactions, principal: Principal, body: RawRequest) -> RecordList:
        """Add rows, all or none, and show them as they are then.

        Raises `InvalidRecords`, `TableNotFound`, `ColumnNotFound`, and what Postgres refuses.
        """
        asked = parse_records(body.query, body.body)
        name = body.parameters["table"]
        added: RecordList = []
        await _announce(transactions, "CREATE_RECORDS", asked.schema, name, len(asked.records))
        async with own_connection(self.database, Login.ADMIN, principal.claims_json) as connection:
            table = await _find_table(connection, asked.schema, name)
            records = [rules.values_to_add(record, table) for record in asked.records]
            for columns, alike in groupby(records, key=tuple):
                batch = list(alike)
                for question in _additions(table, columns, batch):
                    added += (await _answer(connection, question)).rows
        return added

    async def update_record(
        self, transactions: Transactions, principal: Principal, body: ChangedRecord
    ) -> dict[str, object]:
        """Change the row of a key, and show it as it is then.

        Raises `TableNotFound`, `ColumnNotFound`, `IncompleteKey`, `BlankValue`, `RecordNotFound`, `AmbiguousRecord`.
        """
        await _announce(transactions, "UPDATE_RECORD", body.schema, body.table, 1)
        async with own_connection(self.database, Login.ADMIN, principal.claims_json) as connection:
            table = await _find_table(connection, body.schema, body.table)
            rules.must_name_a_row(body.key, table)
            values = rules.values_to_set(body.values, table)
            rows = (await _answer(connection, sql.update_record(table, body.key, values))).rows
            _must_be_one(len(rows))
        return rows[0]

    async def delete_records(
        self, transactions: Transactions, principal: Principal, body: EndedRecords
    ) -> DeletedRecords:
        """Delete the rows of keys, all or none; of a key that no row has, nothing is deleted.

        Raises `TableNotFound`, `ColumnNotFound`, `IncompleteKey`, `AmbiguousRecord`.
        """
        await _announce(transactions, "DELETE_RECORDS", body.schema, body.table, len(body.keys))
        deleted = 0
        async with own_connection(self.database, Login.ADMIN, principal.claims_json) as connection:
            table = await _find_table(connection, body.schema, body.table)
            for key in body.keys:
                rules.must_name_a_row(key, table)
                count = (await _answer(connection, sql.remove_record(table, key))).row_count or 0
                if count > 1:
                    raise AmbiguousRecord
                deleted += count
        return DeletedRecords(deleted_count=deleted)

    def _looking(self, principal: Principal) -> AbstractAsyncContextManager[Connection]:
        return own_connection(self.database, Login.ADMIN, principal.claims_json, undo=True, readonly=True)


async def _find_table(connection: Connection, schema: str, name: str) -> RecordTable:
    rows = await queries.list_record_columns(connection, schema, name)
    if not rows:
        raise TableNotFound(table=name)
    columns = (RecordColumn(**dict(row)) for row in rows)
    return RecordTable(schema=schema, name=name, columns={column.name: column for column in columns})


def _additions(table: RecordTable, columns: Sequence[str], records: Sequence[dict[str, msgspec.Raw]]) -> list[Question]:
    """The statements that add records with the same columns; of rows without any value, each needs its own."""
    if columns:
        return [sql.add_records(table, columns, records)]
    return [sql.add_records(table, (), ())] * len(records)


async def _answer(connection: Connection, question: Question) -> StatementResult:
    prepared = await connection.prepare(question.text)
    rows = await prepared.fetch(*question.arguments)
    return result_of(prepared.get_attributes(), rows, prepared.get_statusmsg() or "")


def _must_be_one(count: int) -> None:
    if count == 0:
        raise RecordNotFound
    if count > 1:
        raise AmbiguousRecord


async def _announce(transactions: Transactions, action: str, schema: str, table: str, count: int) -> None:
    """Write into the audit log what is tried, before it is: so it stands even where it fails."""
    details = {"schema": schema, "table": table, "count": count}

    async def work(tx: WritingTransaction) -> None:
        tx.audit(AuditEntry(action=action, module=MODULE, details=details))

    await transactions.writing(work)
