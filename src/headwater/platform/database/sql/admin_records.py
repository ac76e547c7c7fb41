"""The statements that show the admin rows and change them; values travel as JSON and Postgres itself reads them."""

from collections.abc import Iterable, Sequence

import msgspec

from headwater.platform.database.models import Question, RecordColumn, RecordTable, Sorting, Values
from headwater.platform.database.sql.identifiers import listed, qualified, quoted

_READABLE = frozenset({"S", "N", "E"})
"""Categories of types that people search: texts, numbers, enumerations."""
_READABLE_TYPES = frozenset({"uuid"})


def count_records(table: RecordTable, equal: tuple[str, str] | None, pattern: str | None) -> Question:
    """How many rows have a column's value and hold a pattern."""
    conditions, arguments = _narrowed(table, equal, pattern)
    return Question(f"select count(*) from {_source(table)}{conditions}", arguments)


def list_records(
    table: RecordTable,
    equal: tuple[str, str] | None,
    pattern: str | None,
    sortings: Sequence[Sorting],
    limit: int,
    offset: int,
) -> Question:
    """One page of these rows, sorted."""
    conditions, arguments = _narrowed(table, equal, pattern)
    order = ", ".join(f"t.{quoted(sorting.column)}{' desc' if sorting.descending else ''}" for sorting in sortings)
    ordered = f" order by {order}" if order else ""
    return Question(f"select t.* from {_source(table)}{conditions}{ordered} limit {limit} offset {offset}", arguments)


def find_record(table: RecordTable, values: dict[str, str]) -> Question:
    """A row that has these values, each given as Postgres' text."""
    return Question(
        f"select t.* from {_source(table)} join {_given(table, values, 1)} k on {_matches(values)} limit 1",
        (_encoded(values),),
    )


def add_records(table: RecordTable, columns: Sequence[str], records: Sequence[Values]) -> Question:
    """New rows with values for the same columns."""
    name = qualified(table.schema, table.name)
    if not columns:
        return Question(f"insert into {name} as t default values returning t.*", ())
    given = _given(table, columns, 1, function="json_to_recordset", alias="r")
    return Question(
        f"insert into {name} as t ({listed(columns)}) select {listed(columns)} from {given} returning t.*",
        (_encoded(records),),
    )


def update_record(table: RecordTable, key: Values, values: Values) -> Question:
    """New values for the row of a key."""
    assignments = ", ".join(f"{quoted(name)} = r.{quoted(name)}" for name in values)
    sources = f"{_given(table, values, 1)} r, {_given(table, key, 2)} k"
    return Question(
        f"update {qualified(table.schema, table.name)} as t set {assignments} from {sources}"
        f" where {_matches(key)} returning t.*",
        (_encoded(values), _encoded(key)),
    )


def remove_record(table: RecordTable, key: Values) -> Question:
    """The end of the row of a key."""
    return Question(
        f"delete from {_source(table)} using {_given(table, key, 1)} k where {_matches(key)}",
        (_encoded(key),),
    )


def _source(table: RecordTable) -> str:
    return f"{qualified(table.schema, table.name)} as t"


def _narrowed(table: RecordTable, equal: tuple[str, str] | None, pattern: str | None) -> tuple[str, tuple[object, ...]]:
    """The conditions of a page, and what they are about."""
    conditions: list[str] = []
    arguments: list[object] = []
    if equal is not None:
        column, value = equal
        arguments.append(_encoded({column: value}))
        given = _given(table, (column,), len(arguments))
        conditions.append(f"t.{quoted(column)} = (select k.{quoted(column)} from {given} k)")
    if pattern is not None:
        arguments.append(pattern)
        found = " or ".join(
            f"t.{quoted(column.name)}::text ilike ${len(arguments)}"
            for column in table.columns.values()
            if _is_readable(column)
        )
        conditions.append(f"({found or f'${len(arguments)}::text is null'})")
    return (f" where {' and '.join(conditions)}" if conditions else ""), tuple(arguments)


def _is_readable(column: RecordColumn) -> bool:
    return column.category in _READABLE or column.type in _READABLE_TYPES


def _given(
    table: RecordTable, columns: Iterable[str], place: int, *, function: str = "json_to_record", alias: str = ""
) -> str:
    """The parameter at a place as rows of the columns' own types, which Postgres has named."""
    types = ", ".join(f"{quoted(name)} {table.columns[name].type}" for name in columns)
    inner = f"{function}(${place}::text::json) as {alias or 'g'}({types})"
    return inner if alias else f"(select * from {inner})"


def _matches(key: Values | dict[str, str]) -> str:
    """Whether a row has a key's values; a null is matched by itself, and every other by an index if there is one."""
    return " and ".join(
        f"t.{quoted(name)} is null" if _is_null(value) else f"t.{quoted(name)} = k.{quoted(name)}"
        for name, value in key.items()
    )


def _is_null(value: msgspec.Raw | str) -> bool:
    return isinstance(value, msgspec.Raw) and bytes(value) == b"null"


def _encoded(value: object) -> str:
    return msgspec.json.encode(value).decode()
