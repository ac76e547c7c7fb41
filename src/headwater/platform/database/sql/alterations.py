"""The statements that change a table, one step after the other."""

from collections.abc import Iterator

import msgspec

from headwater.platform.database.models import (
    AddedColumn,
    AddedKey,
    Alteration,
    ChangedColumn,
    ColumnState,
    ForeignKey,
    TableChanges,
    TableState,
)
from headwater.platform.database.parse import parse_expression, parse_type
from headwater.platform.database.rules import (
    EXPRESSIONS,
    added_columns,
    default_called,
    known_type,
    new_column,
    new_default,
    sql_type_of,
)
from headwater.platform.database.sql.identifiers import listed, literal, qualified, quoted
from headwater.platform.database.sql.tables import column_definition, foreign_key, let_admin_through


def lock_table(schema: str, table: str) -> str:
    """The statement that keeps everybody else away from a table until the transaction ends."""
    return f"lock table {qualified(schema, table)} in access exclusive mode"


def alter_table(changes: TableChanges, table: TableState, *, admin_needs_policy: bool) -> Iterator[Alteration]:
    """The steps that make changes which rules have passed: what goes first, then what changes, what comes, the name.

    Raises what `new_column`, `parse_expression` and `parse_type` raise.
    """
    name = qualified(changes.schema, changes.table)
    yield from _dropped(name, changes)
    for column in changes.update_columns:
        yield _changed(name, column, table.columns[column.column_name])
    for column in added_columns(changes):
        yield _added(name, column)
    for key in changes.add_keys:
        yield _keyed(name, key)
    for key in changes.add_foreign_keys:
        yield _referring(name, changes.schema, key)
    yield from _told_of_the_table(name, changes, admin_needs_policy=admin_needs_policy)


def _dropped(table: str, changes: TableChanges) -> Iterator[Alteration]:
    for constraint in changes.drop_foreign_keys:
        yield _constraint_dropped(table, constraint, "foreign key constraint")
    for constraint in changes.drop_keys:
        yield _constraint_dropped(table, constraint, "key")
    for column in changes.drop_columns:
        yield Alteration(
            subject=f"Column {column}",
            statements=(f"alter table {table} drop column {quoted(column)}",),
            told=f"Dropped column: {column}",
        )


def _constraint_dropped(table: str, constraint: str, kind: str) -> Alteration:
    return Alteration(
        subject=f"Constraint {constraint}",
        statements=(f"alter table {table} drop constraint {quoted(constraint)}",),
        told=f"Dropped {kind}: {constraint}",
    )


def _changed(table: str, column: ChangedColumn, state: ColumnState) -> Alteration:
    own = f"alter table {table} alter column {quoted(column.column_name)}"
    statements = [
        *_retyped(own, column, state),
        *_redefaulted(own, column),
        *_unconstrained(own, table, column, state),
        *_commented(table, column.column_name, column.comment),
    ]
    if column.new_column_name is not None and column.new_column_name != column.column_name:
        names = f"{quoted(column.column_name)} to {quoted(column.new_column_name)}"
        statements.append(f"alter table {table} rename column {names}")
    return Alteration(
        subject=f"Column {column.column_name}",
        statements=tuple(statements),
        told=f"Updated column: {column.column_name}",
    )


def _retyped(own: str, column: ChangedColumn, state: ColumnState) -> Iterator[str]:
    """A new type; the default steps aside meanwhile, because Postgres casts it only where no cast need be said."""
    if column.type is None:
        return
    kind = sql_type_of(known_type(column.type, parse_type))
    values = quoted(column.column_name) if column.using is None else parse_expression(column.using, "using")
    if state.default is not None:
        yield f"{own} drop default"
    yield f"{own} type {kind} using ({values})::{kind}"
    if state.default is not None and isinstance(column.default_value, msgspec.UnsetType):
        plain = default_called(state.default)
        kept = f"({state.default})::{kind}" if plain == state.default else literal(plain)
        yield f"{own} set default {kept}"


def _redefaulted(own: str, column: ChangedColumn) -> Iterator[str]:
    if isinstance(column.default_value, msgspec.UnsetType):
        return
    default = new_default(column)
    if default is None:
        yield f"{own} drop default"
    else:
        yield f"{own} set default {default if default in EXPRESSIONS else literal(default)}"


def _unconstrained(own: str, table: str, column: ChangedColumn, state: ColumnState) -> Iterator[str]:
    """What nulls and repeated values are to a column from now on."""
    nullable = column.nullable if column.is_nullable is None else column.is_nullable
    if nullable is not None:
        yield f"{own} {'drop' if nullable else 'set'} not null"
    unique = column.unique if column.is_unique is None else column.is_unique
    if unique is True and not state.unique_constraints:
        yield f"alter table {table} add unique ({quoted(column.column_name)})"
    if unique is False:
        for constraint in state.unique_constraints:
            yield f"alter table {table} drop constraint {quoted(constraint)}"


def _commented(table: str, column: str, comment: str | msgspec.UnsetType | None) -> Iterator[str]:
    if not isinstance(comment, msgspec.UnsetType):
        yield f"comment on column {table}.{quoted(column)} is {_text(comment)}"


def _text(comment: str | None) -> str:
    return "null" if comment is None else literal(comment)


def _added(table: str, wanted: AddedColumn) -> Alteration:
    column = new_column(wanted, parse_type)
    commented = () if wanted.comment is None else _commented(table, column.column_name, wanted.comment)
    return Alteration(
        subject=f"Column {column.column_name}",
        statements=(f"alter table {table} add column {column_definition(column)}", *commented),
        told=f"Added column: {column.column_name}",
    )


def _keyed(table: str, key: AddedKey) -> Alteration:
    columns = ", ".join(key.columns)
    kind = "primary key" if key.kind == "primary" else "unique"
    named = "" if key.constraint_name is None else f"constraint {quoted(key.constraint_name)} "
    return Alteration(
        subject=f"Key on {columns}",
        statements=(f"alter table {table} add {named}{kind} ({listed(key.columns)})",),
        told=f"Added {kind} key: {columns}" if key.kind == "unique" else f"Added primary key: {columns}",
    )


def _referring(table: str, schema: str, key: ForeignKey) -> Alteration:
    columns = ", ".join(pair.source_column for pair in key.reference_columns)
    return Alteration(
        subject=f"Foreign key on {columns}",
        statements=(f"alter table {table} add {foreign_key(schema, key)}",),
        told=f"Added foreign key constraint on column: {columns}",
    )


def _told_of_the_table(table: str, changes: TableChanges, *, admin_needs_policy: bool) -> Iterator[Alteration]:
    subject = f"Table {changes.table}"
    if changes.rls_enabled is not None:
        word = "enable" if changes.rls_enabled else "disable"
        statements = [f"alter table {table} {word} row level security"]
        if changes.rls_enabled and admin_needs_policy:
            statements.append(let_admin_through(table))
        told = f"{word.capitalize()}d row-level security"
        yield Alteration(subject=subject, statements=tuple(statements), told=told)
    if not isinstance(changes.comment, msgspec.UnsetType):
        statement = f"comment on table {table} is {_text(changes.comment)}"
        yield Alteration(subject=subject, statements=(statement,), told=f"Commented table: {changes.table}")
    if changes.rename_table is not None:
        new_name = changes.rename_table.new_table_name
        statement = f"alter table {table} rename to {quoted(new_name)}"
        yield Alteration(
            subject=subject, statements=(statement,), told=f"Renamed table from {changes.table} to {new_name}"
        )
