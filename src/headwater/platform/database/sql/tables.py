"""DDL and wrapped statements, built from parts that rules have passed."""

from headwater.platform.database.models import ForeignKey, NewColumn, NewTable
from headwater.platform.database.rules import AUTO_COLUMNS, EXPRESSIONS, referred_table
from headwater.platform.database.sql.identifiers import fitted, listed, literal, qualified, quoted

ADMIN_POLICY = "project_admin_policy"
"""The policy that stands for BYPASSRLS where `project_admin` cannot have it."""


def create_table(table: NewTable, *, admin_needs_policy: bool) -> tuple[str, ...]:
    """The statements that make a table with its automatic columns, keys, trigger and row-level security.

    `admin_needs_policy` where `project_admin` cannot bypass row-level security: a policy lets that role through.
    """
    name = qualified(table.schema, table.name)
    columns = [f"{quoted(column)} {kind} {constraint}" for column, kind, constraint in AUTO_COLUMNS]
    columns[1:1] = [column_definition(column) for column in table.columns]
    keys = [foreign_key(table.schema, key) for key in table.foreign_keys]
    statements = [f"create table {name} ({', '.join([*columns, *keys])})"]
    if table.row_security:
        statements.append(f"alter table {name} enable row level security")
        if admin_needs_policy:
            statements.append(let_admin_through(name))
    trigger = quoted(fitted(f"{table.name}_update_timestamp"))
    statements.append(
        f"create trigger {trigger} before update on {name} for each row execute function system.update_updated_at()"
    )
    return tuple(statements)


def let_admin_through(table: str) -> str:
    """The statement that gives `project_admin` every row of a table, named as an identifier."""
    return f"create policy {ADMIN_POLICY} on {table} for all to project_admin using (true) with check (true)"


def drop_table(schema: str, table: str) -> str:
    """The statement that ends a table and whatever depends on it."""
    return f"drop table {qualified(schema, table)} cascade"


def count_rows(schema: str, table: str) -> str:
    """The statement that counts a table's rows, exactly."""
    return f"select count(*) from {qualified(schema, table)}"


def explain(statement: str) -> str:
    """The statement that runs another one and tells how, as JSON."""
    return f"explain (format json, analyze, buffers) {statement}"


def convert_texts(types: tuple[str, ...]) -> str:
    """The statement that reads each parameter, a text, as the type named; `types` are as Postgres writes them."""
    return "select " + ", ".join(f"${place}::text::{kind}" for place, kind in enumerate(types, 1))


def column_definition(column: NewColumn) -> str:
    """A column as `create table` and `add column` take it."""
    parts = [quoted(column.column_name), column.sql_type]
    if not column.is_nullable:
        parts.append("not null")
    if column.is_unique:
        parts.append("unique")
    if (default := column.default_value) is not None:
        parts.append(f"default {default if default in EXPRESSIONS else literal(default)}")
    return " ".join(parts)


def foreign_key(schema: str, key: ForeignKey) -> str:
    """A foreign key of a table in `schema`, named if nobody named it."""
    own = [pair.source_column for pair in key.reference_columns]
    theirs = [pair.reference_column for pair in key.reference_columns]
    referred = key.reference_table.replace(".", "_")
    name = key.constraint_name or fitted("_".join(["fk", *own, referred, *theirs]))
    return (
        f"constraint {quoted(name)} foreign key ({listed(own)})"
        f" references {qualified(*referred_table(key, schema))} ({listed(theirs)})"
        f" on delete {key.on_delete} on update {key.on_update}"
    )
