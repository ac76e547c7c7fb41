"""Which changes of a table can be asked for together, before Postgres is asked."""

from collections import Counter
from collections.abc import Collection, Iterable

from headwater.platform.database.errors import (
    ColumnNotFound,
    ConstraintNotFound,
    InvalidTable,
    LastColumn,
    SystemColumnProtected,
)
from headwater.platform.database.models import AddedColumn, AddedKey, ChangedColumn, TableChanges, TableState
from headwater.platform.database.rules.tables import (
    AUTO_FIELDS,
    is_auto_field,
    must_be_a_name,
    must_be_a_text,
    must_refer_from,
    scalar_text,
)


def must_be_possible(changes: TableChanges, table: TableState) -> None:
    """Let changes be tried that speak of columns and constraints the table has, or will have by then.

    Raises `SystemColumnProtected`, `LastColumn`, `ColumnNotFound`, `ConstraintNotFound`, `InvalidTable`,
    `InvalidName`.
    """
    touched = [*changes.drop_columns, *(column.column_name for column in changes.update_columns)]
    _must_be_different(touched, "dropColumns, updateColumns")
    for column in touched:
        if column in AUTO_FIELDS:
            raise SystemColumnProtected(column=column)
    _must_be_known(changes.drop_columns, table.columns, "dropColumns")
    _must_be_known([column.column_name for column in changes.update_columns], table.columns, "updateColumns")
    columns = _columns_after(changes, table)
    if not columns.difference(AUTO_FIELDS):
        raise LastColumn
    _must_hold(changes.drop_foreign_keys, table.foreign_keys, "dropForeignKeys")
    _must_hold(changes.drop_keys, table.keys, "dropKeys")
    for key in changes.add_foreign_keys:
        must_refer_from(key, columns)
    for key in changes.add_keys:
        _must_be_a_key(key, columns)
    if changes.rename_table is not None:
        must_be_a_name(changes.rename_table.new_table_name, "newTableName")
    _must_be_a_comment(changes.comment)


def added_columns(changes: TableChanges) -> tuple[AddedColumn, ...]:
    """The columns to be added but those that every table has; raises `InvalidTable` if they are of another type."""
    return tuple(column for column in changes.add_columns if not is_auto_field(column))


def new_default(column: ChangedColumn) -> str | None:
    """The default that a column is to have from now on, None for no more; raises `InvalidTable`."""
    text = scalar_text(column.default_value)
    return must_be_a_text(text, "defaultValue") if text else None


def _columns_after(changes: TableChanges, table: TableState) -> set[str]:
    """The names of a table's columns once all is done."""
    renamed = {column.column_name: column.new_column_name for column in changes.update_columns}
    for name in filter(None, renamed.values()):
        must_be_a_name(name, "newColumnName")
        if name in AUTO_FIELDS:
            raise SystemColumnProtected(column=name)
    for column in changes.update_columns:
        _must_be_a_comment(column.comment)
        if column.using is not None and column.type is None:
            raise InvalidTable(reason="updateColumns: `using` says how a new `type` is reached, and none is given")
    added = added_columns(changes)
    for column in added:
        _must_be_a_comment(column.comment)
    names = [
        *(renamed.get(name) or name for name in table.columns if name not in changes.drop_columns),
        *(column.column_name or column.name or "" for column in added),
    ]
    _must_be_different(names, "addColumns, updateColumns")
    return set(names)


def _must_be_a_comment(comment: object) -> None:
    if isinstance(comment, str):
        must_be_a_text(comment, "comment")


def _must_be_a_key(key: AddedKey, columns: Collection[str]) -> None:
    if not key.columns:
        raise InvalidTable(reason="addKeys: a key needs at least one column")
    _must_be_different(key.columns, "addKeys")
    _must_be_known(key.columns, columns, "addKeys")
    if key.constraint_name is not None:
        must_be_a_name(key.constraint_name, "constraintName")


def _must_be_different(names: Iterable[str], field: str) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise InvalidTable(reason=f"{field}: {name!r} is named twice")


def _must_be_known(names: Iterable[str], columns: Collection[str], field: str) -> None:
    for name in names:
        if name not in columns:
            raise ColumnNotFound(field=field, column=name)


def _must_hold(names: Iterable[str], constraints: Collection[str], field: str) -> None:
    for name in names:
        if name not in constraints:
            raise ConstraintNotFound(field=field, constraint=name)
