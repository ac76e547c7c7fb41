"""How the admin's pages, keys and values are read."""

from collections.abc import Iterable

import msgspec

from headwater.platform.database.errors import BlankValue, ColumnNotFound, IncompleteKey, InvalidRecords
from headwater.platform.database.models import RecordTable, Sorting, Values

_BLANK = b'""'
_NULL = msgspec.Raw(b"null")


def sorting_of(text: str | None, table: RecordTable) -> tuple[Sorting, ...]:
    """The columns of `column:asc,column:desc` (`asc` where nothing is said), then those of the key.

    So pages neither overlap nor leave gaps. Raises `InvalidRecords` and `ColumnNotFound`.
    """
    sortings: list[Sorting] = []
    for part in filter(None, (text or "").split(",")):
        column, colon, direction = part.strip().rpartition(":")
        name = column if colon else direction
        if colon and direction.lower() not in {"asc", "desc"}:
            raise InvalidRecords(reason=f"sort: {direction!r} is neither asc nor desc")
        sortings.append(Sorting(name, bool(colon) and direction.lower() == "desc"))
    must_know((sorting.column for sorting in sortings), table, "sort")
    sorted_by = {sorting.column for sorting in sortings}
    return (*sortings, *(Sorting(name, descending=False) for name in table.key if name not in sorted_by))


def filter_of(column: str | None, value: str | None) -> tuple[str, str] | None:
    """The column and the value that rows are to have; raises `InvalidRecords` where only one is given."""
    if column is None and value is None:
        return None
    if column is None or value is None:
        raise InvalidRecords(reason="filterColumn: filterColumn and filterValue go together")
    return column, value


def pattern_of(search: str) -> str:
    """A LIKE pattern for texts that hold another, whatever it holds."""
    escaped = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def content_range(offset: int, count: int, total: int) -> str:
    """The part of all rows that an answer holds; of nothing, `0--1/0`."""
    return f"{offset if count else 0}-{offset + count - 1 if count else -1}/{total}"


def must_know(columns: Iterable[str], table: RecordTable, field: str) -> None:
    """Let columns be named that the table has; raises `ColumnNotFound`."""
    for column in columns:
        if column not in table.columns:
            raise ColumnNotFound(field=field, column=column)


def must_name_a_row(key: Iterable[str], table: RecordTable) -> None:
    """Let a key be used that names the whole primary key, where there is one.

    Raises `ColumnNotFound` and `IncompleteKey`.
    """
    named = set(key)
    must_know(named, table, "pkKeys")
    if not named.issuperset(table.key):
        raise IncompleteKey(columns=", ".join(table.key))


def values_to_add(record: Values, table: RecordTable) -> Values:
    """What a new row is given: blanks in columns that hold no text are left to their defaults.

    Raises `ColumnNotFound`.
    """
    must_know(record, table, "records")
    return {name: value for name, value in record.items() if table.columns[name].is_textual or bytes(value) != _BLANK}


def values_to_set(record: Values, table: RecordTable) -> Values:
    """What a row is to hold: a blank in a column that holds no text is a null.

    Raises `ColumnNotFound`, and `BlankValue` where there may be none.
    """
    must_know(record, table, "data")
    return {name: _filled(name, value, table) for name, value in record.items()}


def _filled(name: str, value: msgspec.Raw, table: RecordTable) -> msgspec.Raw:
    column = table.columns[name]
    if column.is_textual or bytes(value) != _BLANK:
        return value
    if not column.nullable:
        raise BlankValue(column=name)
    return _NULL
