"""DDL and wrapped statements, built from parts that rules have passed."""

import hashlib

from headwater.platform.database.models import ForeignKey, NewColumn, NewTable
from headwater.platform.database.rules import AUTO_COLUMNS, EXPRESSIONS, referred_table

_LONGEST_NAME = 63
_ADMIN_POLICY = "project_admin_policy"


def create_table(table: NewTable, *, admin_needs_policy: bool) -> tuple[str, ...]:
    """The statements that make a table with its automatic columns, keys, trigger and row-level security.

    `admin_needs_policy` where `project_admin` cannot bypass row-level security: a policy lets that role through.
    """
    name = _qualified(table.schema, table.name)
    columns = [f"{_quoted(column)} {kind} {constraint}" for column, kind, constraint in AUTO_COLUMNS]
    columns[1:1] = [_column(column) for column in table.columns]
    keys = [_foreign_key(table, key) for key in table.foreign_keys]
    statements = [f"create table {name} ({', '.join([*columns, *keys])})"]
    if table.row_security:
        statements.append(f"alter table {name} enable row level security")
        if admin_needs_policy:
            statements.append(
                f"create policy {_ADMIN_POLICY} on {name} for all to project_admin using (true) with check (true)"
            )
    trigger = _quoted(_fitted(f"{table.name}_update_timestamp"))
    statements.append(
        f"create trigger {trigger} before update on {name} for each row execute function system.update_updated_at()"
    )
    return tuple(statements)


def drop_table(schema: str, table: str) -> str:
    """The statement that ends a table and whatever depends on it."""
    return f"drop table {_qualified(schema, table)} cascade"


def count_rows(schema: str, table: str) -> str:
    """The statement that counts a table's rows, exactly."""
    return f"select count(*) from {_qualified(schema, table)}"


def explain(statement: str) -> str:
    """The statement that runs another one and tells how, as JSON."""
    return f"explain (format json, analyze, buffers) {statement}"


def convert_texts(types: tuple[str, ...]) -> str:
    """The statement that reads each parameter, a text, as the type named; `types` are as Postgres writes them."""
    return "select " + ", ".join(f"${place}::text::{kind}" for place, kind in enumerate(types, 1))


def _column(column: NewColumn) -> str:
    parts = [_quoted(column.column_name), column.sql_type]
    if not column.is_nullable:
        parts.append("not null")
    if column.is_unique:
        parts.append("unique")
    if (default := column.default_value) is not None:
        parts.append(f"default {default if default in EXPRESSIONS else _literal(default)}")
    return " ".join(parts)


def _foreign_key(table: NewTable, key: ForeignKey) -> str:
    own = [pair.source_column for pair in key.reference_columns]
    theirs = [pair.reference_column for pair in key.reference_columns]
    referred = key.reference_table.replace(".", "_")
    name = key.constraint_name or _fitted("_".join(["fk", *own, referred, *theirs]))
    return (
        f"constraint {_quoted(name)} foreign key ({', '.join(map(_quoted, own))})"
        f" references {_qualified(*referred_table(key, table.schema))} ({', '.join(map(_quoted, theirs))})"
        f" on delete {key.on_delete} on update {key.on_update}"
    )


def _fitted(name: str) -> str:
    """A generated name as it is, or cut and made unique by a hash where Postgres would cut it."""
    encoded = name.encode()
    if len(encoded) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(encoded).hexdigest()[:8]
    return f"{encoded[: _LONGEST_NAME - 9].decode(errors='ignore')}_{digest}"


def _qualified(schema: str, name: str) -> str:
    return f"{_quoted(schema)}.{_quoted(name)}"


def _quoted(identifier: str) -> str:
    escaped = identifier.replace('"', '""')
    return f'"{escaped}"'


def _literal(text: str) -> str:
    """A text as a literal; every connection has `standard_conforming_strings` on, so only quotes are doubled."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
