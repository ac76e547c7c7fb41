"""Statements about tables that tell their changes."""

from collections.abc import Collection, Sequence

import msgspec

from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.database.quoting import literal, quoted
from headwater.kernel.principal import Principal
from headwater.platform.realtime.models import Condition, FoundTable, TableAddress, Verdict, WatchedTable

TRIGGERS = ("realtime_tells_inserts", "realtime_tells_updates", "realtime_tells_deletes", "realtime_tells_truncates")
_FIRED_BY = (
    "insert on {table} referencing new table as new",
    "update on {table} referencing old table as old new table as new",
    "delete on {table} referencing old table as old",
    "truncate on {table}",
)
FIND_TABLE = """
select c.relkind::text as kind, c.relispartition as is_partition, pg_get_userbyid(c.relowner) = current_user as ours,
  exists (select from pg_index where indrelid = c.oid and indisprimary) as has_key
from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2
"""
LIST_TELLING_TABLES = """
select distinct n.nspname, c.relname from pg_trigger t
join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
where t.tgfoid = 'realtime.note_change()'::regprocedure and t.tgenabled <> 'D'
order by n.nspname, c.relname
"""
DESCRIBE_TABLE = "select realtime.describe_table($1, $2, $3)::text"
JUDGE = "select realtime.judge($1::text[], $2::text[], $3::jsonb)::text[]"
LIMIT_TIME = "select set_config('statement_timeout', $1, true)"
_SIGNS = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_decode = msgspec.json.Decoder(list[tuple[Verdict | None, Verdict | None]]).decode
_decode_table = msgspec.json.Decoder(WatchedTable).decode


async def find_table(tx: ReadingTransaction, address: TableAddress) -> FoundTable | None:
    """A relation of whatever kind."""
    row = await tx.row(FIND_TABLE, address.schema, address.table)
    return None if row is None else FoundTable(**dict(row))


async def list_telling_tables(tx: ReadingTransaction) -> list[TableAddress]:
    """Every table that tells its changes."""
    return [TableAddress(schema=row["nspname"], table=row["relname"]) for row in await tx.rows(LIST_TELLING_TABLES)]


async def add_triggers(tx: WritingTransaction, address: TableAddress) -> None:
    """Let a table tell its changes from the next statement on."""
    table = _name_of(address)
    for name, fired_by in zip(TRIGGERS, _FIRED_BY, strict=True):
        await tx.execute(
            f"create or replace trigger {name} after {fired_by.format(table=table)} "
            "for each statement execute function realtime.note_change()"
        )


async def remove_triggers(tx: WritingTransaction, address: TableAddress) -> None:
    """Let a table tell nothing more."""
    for name in TRIGGERS:
        await tx.execute(f"drop trigger if exists {name} on {_name_of(address)}")


async def describe_table(
    transactions: Transactions, address: TableAddress, roles: Collection[str], seconds: float
) -> WatchedTable | None:
    """A table that tells its changes, and what decides which of these roles hear of them; None if it tells none.

    Raises what Postgres raises after `seconds`: whoever alters the table locks it.
    """

    async def work(tx: ReadingTransaction) -> str | None:
        await tx.value(LIMIT_TIME, _milliseconds(seconds))
        return await tx.value(DESCRIBE_TABLE, address.schema, address.table, list(roles))

    described = await transactions.reading(work)
    return None if described is None else _decode_table(described)


async def judge(
    transactions: Transactions,
    principal: Principal,
    groups: Sequence[tuple[str, str]],
    changes: bytes,
    seconds: float,
) -> list[list[tuple[Verdict | None, Verdict | None]]]:
    """What groups of the principal's role, each with its claims and its statement, see of rows.

    `changes` is the text of a JSON array of pairs, the row before and the row after, or null. For each group and each
    pair there is a pair of verdicts, None for a row out of sight. Raises what Postgres raises after `seconds`.
    """
    claims, statements = [each for each, _ in groups], [each for _, each in groups]

    async def work(tx: ReadingTransaction) -> list[str]:
        await tx.value(LIMIT_TIME, _milliseconds(seconds))
        return await tx.value(JUDGE, claims, statements, changes.decode())

    return [_decode(text) for text in await transactions.reading(work, principal)]


async def try_judgement(transactions: Transactions, principal: Principal, statement: str) -> None:
    """Ask about no rows at all: Postgres says what is wrong with the statement, if anything is."""
    await transactions.reading(lambda tx: tx.value(statement, "[]"), principal)


def judgement(table: WatchedTable, policy: str | None, filters: Sequence[Sequence[Condition]]) -> str:
    """The statement that says of each row of $1 whether a policy shows it (None: it does), and which filters hold.

    A filter is tried only on a row that may be seen, so that no error tells of another.
    """
    held = ", ".join(_held(table, each) for each in filters)
    verdict = f"jsonb_build_array({_computed(table)}, to_jsonb(array[{held}]::boolean[]))"
    if policy is not None:
        verdict = f"case when ({policy}) then {verdict} end"
    asked = "a" if table.name != "a" else "b"  # not what the table is called, which would hide it
    sides = (f"{asked}.pair -> {nth}" for nth in (0, 1))
    before, after = (
        f"case when {side} <> 'null' then (select {verdict} from {_row(table, side)}) end" for side in sides
    )
    return (
        f"select coalesce(jsonb_agg(jsonb_build_array({before}, {after}) order by {asked}.nth), '[]') "
        f"from jsonb_array_elements($1) with ordinality as {asked} (pair, nth)"
    )


def _row(table: WatchedTable, source: str) -> str:
    """A logged row, called as the table is: so policies name it. What is computed was not logged."""
    name = quoted(table.name)
    row = f"jsonb_populate_record(null::{quoted(table.schema)}.{name}, {source}) as {name}"
    if not any(column.formula for column in table.columns):
        return row
    columns = ", ".join(
        f"({column.formula}) as {quoted(column.name)}" if column.formula else _of(table, column.name)
        for column in table.columns
    )
    return f"(select {columns} from {row}) as {name}"


def _computed(table: WatchedTable) -> str:
    """The columns that are computed, as an object; null if there is none."""
    columns = ", ".join(_of(table, column.name) for column in table.columns if column.formula)
    return f"(select to_jsonb(computed.*) from (select {columns}) computed)" if columns else "null"


def _held(table: WatchedTable, conditions: Sequence[Condition]) -> str:
    types = {column.name: column.type for column in table.columns}
    parts: list[str] = []
    for each in conditions:
        column = _of(table, each.column)
        values = [f"{literal(value)}::{types[each.column]}" for value in each.values]
        parts.append(
            f"{column} in ({', '.join(values)})"
            if each.operator == "in"
            else f"{column} {_SIGNS[each.operator]} {values[0]}"
        )
    return f"coalesce({' and '.join(parts)}, false)"


def _of(table: WatchedTable, column: str) -> str:
    return f"{quoted(table.name)}.{quoted(column)}"


def _name_of(address: TableAddress) -> str:
    return f"{quoted(address.schema)}.{quoted(address.table)}"


def _milliseconds(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"
