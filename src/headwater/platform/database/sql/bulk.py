"""Statements that take many rows in at once."""

from collections.abc import Sequence

from headwater.platform.database.models import Load
from headwater.platform.database.sql.identifiers import listed, qualified, quoted

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


def _resolution(columns: Sequence[str], key: Sequence[str]) -> str:
    changed = [column for column in columns if column not in key]
    if not changed:
        return "do nothing"
    return "do update set " + ", ".join(f"{quoted(column)} = excluded.{quoted(column)}" for column in changed)
