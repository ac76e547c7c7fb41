"""Statements that take many rows in at once."""

from collections.abc import Sequence

from headwater.platform.database.models import Load
from headwater.platform.database.sql.identifiers import listed, literal, qualified, quoted

INCOMING = "headwater_incoming"
"""A temporary table, so it is this session's alone and gone after the transaction."""


def create_incoming(load: Load) -> str:
    """A temporary table with the columns of the load and none of the table's constraints."""
    columns = listed(load.columns)
    return (
        f"create temporary table {INCOMING} on commit drop as"
        f" select {columns} from {qualified(load.schema, load.table)} with no data"
    )


def count_twins(load: Load) -> str:
    """The statement that finds a key which two incoming rows have."""
    key = listed(load.key)
    present = " and ".join(f"{quoted(column)} is not null" for column in load.key)
    return f"select {key} from {INCOMING} where {present} group by {key} having count(*) > 1 limit 1"


def insert_incoming(load: Load) -> str:
    """The statement that writes the incoming rows between two places, or changes the rows that have their key."""
    columns = listed(load.columns)
    statement = (
        f"insert into {qualified(load.schema, load.table)} ({columns}) overriding system value"
        f" select {columns} from {INCOMING} where ctid >= $1::text::tid and ctid < $2::text::tid"
    )
    if not load.key:
        return statement
    key = listed(load.key)
    return f"{statement} on conflict ({key}) {_resolution(load.columns, load.key)}"


def find_behind(table: str, column: str, sequence: str, step: int) -> str:
    """The statement that tells whether a column holds a value beyond where its sequence stands."""
    furthest, beyond = _direction(step)
    return (
        f"select (select {furthest}({quoted(column)}) from {table}) {beyond}"
        f" (case when is_called then last_value else last_value - {step:d} end) from {sequence}"
    )


def hold_sequence(sequence: str, step: int) -> str:
    """The statement that changes nothing, and lets nobody else count until the transaction ends."""
    return f"alter sequence {sequence} increment by {step:d}"


def advance_sequence(table: str, column: str, sequence: str, step: int) -> str:
    """The statement that lets a sequence go on after the furthest value of its column; never back."""
    furthest, beyond = _direction(step)
    return (
        f"select setval(seqrelid, top) from (select {furthest}({quoted(column)})::bigint as top from {table}) as t,"
        f" {sequence} as s, pg_catalog.pg_sequence where seqrelid = {literal(sequence)}::regclass"
        f" and top between seqmin and seqmax"
        f" and (top {beyond} s.last_value or (top = s.last_value and not s.is_called))"
    )


def _direction(step: int) -> tuple[str, str]:
    return ("max", ">") if step > 0 else ("min", "<")


def _resolution(columns: Sequence[str], key: Sequence[str]) -> str:
    changed = [column for column in columns if column not in key]
    if not changed:
        return "do nothing"
    return "do update set " + ", ".join(f"{quoted(column)} = excluded.{quoted(column)}" for column in changed)
