"""A schema written as the statements that make it again."""

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from headwater.platform.database.models import (
    ColumnFacts,
    NamedDefinition,
    PolicyFacts,
    SchemaFacts,
    SequenceFacts,
    TableFacts,
    TypeFacts,
)
from headwater.platform.database.sql.identifiers import listed, literal, qualified, quoted

_ROWS_A_STATEMENT = 100
_PRIMARY_KEY = re.compile(r"PRIMARY KEY \((.+?)\)(?: INCLUDE | WITH|$)")


def make_schema(schema: str, facts: SchemaFacts, *, rows: Iterable[str] = ()) -> Iterator[str]:
    """The statements, in an order in which each finds what it needs; `rows` are those that write the rows.

    Keys come after the rows, so that tables which refer to each other need no order, and values of sequences last.
    """
    tables = facts.tables
    owners = {(name, column.column_name) for name, table in tables.items() for column in table.schema}
    yield "set local check_function_bodies = off"
    yield from (_type(schema, each) for each in facts.types)
    yield from (_sequence(schema, each) for each in facts.sequences if not each.is_identity)
    yield from (_table(schema, name, table) for name, table in tables.items())
    yield from (_owner(schema, each) for each in facts.sequences if each.owner in owners and not each.is_identity)
    yield from (each.definition for each in facts.functions)
    yield from rows
    for name, table in tables.items():
        yield from (_constraint(schema, name, each) for each in table.constraints)
        yield from (each.definition for each in table.indexes)
    for name, table in tables.items():
        yield from (_constraint(schema, name, each) for each in table.foreign_keys)
    yield from (_view(schema, each) for each in facts.views)
    for name, table in tables.items():
        yield from _access(schema, name, table)
        yield from (each.definition for each in table.triggers)
    yield from (_value(schema, each) for each in facts.sequences if each.last_value is not None)


def insert_texts(
    schema: str, table: str, columns: Sequence[str], rows: Sequence[Sequence[str | None]]
) -> Iterator[str]:
    """Statements that write rows whose values are texts, as Postgres reads them for any type."""
    head = f"insert into {qualified(schema, table)} ({listed(columns)}) overriding system value values"
    for start in range(0, len(rows), _ROWS_A_STATEMENT):
        values = (", ".join(map(_value_text, row)) for row in rows[start : start + _ROWS_A_STATEMENT])
        yield f"{head}\n  " + ",\n  ".join(f"({value})" for value in values)


def insert_json(schema: str, table: str, columns: Sequence[str], rows: msgspec.Raw) -> str:
    """The statement that writes rows which are a JSON array of objects."""
    name = qualified(schema, table)
    return (
        f"insert into {name} ({listed(columns)}) overriding system value select {listed(columns)}"
        f" from json_populate_recordset(null::{name}, {literal(bytes(rows).decode())})"
    )


def select_rows(schema: str, table: str, facts: TableFacts, limit: int, *, as_texts: bool) -> str:
    """The statement that reads a table's first rows by primary key, without the columns that it computes."""
    columns = stored_columns(facts)
    if as_texts:
        selected = "array[" + ", ".join(f"{quoted(column)}::text" for column in columns) + "]::text[] as texts"
    else:
        selected = listed(columns)
    keys = (_PRIMARY_KEY.match(each.definition) for each in facts.constraints if each.kind == "p")
    order = next((key[1] for key in keys if key), "ctid")
    return f"select {selected} from {qualified(schema, table)} order by {order} limit {limit:d}"


def select_json(statement: str) -> str:
    """The statement that gives another one's rows as one JSON array."""
    return f"select coalesce(json_agg(r), '[]') from ({statement}) r"


def truncate(tables: Iterable[tuple[str, str]]) -> str:
    """The statement that empties tables, and no others."""
    return "truncate " + ", ".join(qualified(schema, table) for schema, table in tables)


def stored_columns(facts: TableFacts) -> tuple[str, ...]:
    """The columns that may be written."""
    return tuple(column.column_name for column in facts.schema if not column.generated)


def _type(schema: str, facts: TypeFacts) -> str:
    name = qualified(schema, facts.name)
    if facts.labels is not None:
        return f"create type {name} as enum ({', '.join(map(literal, facts.labels))})"
    parts = [f"create domain {name} as {facts.base}"]
    if facts.default is not None:
        parts.append(f"default {facts.default}")
    if facts.required:
        parts.append("not null")
    parts += [f"constraint {quoted(check.name)} {check.definition}" for check in facts.checks]
    return " ".join(parts)


def _sequence(schema: str, facts: SequenceFacts) -> str:
    return (
        f"create sequence {qualified(schema, facts.name)} as {facts.data_type} start {facts.start:d}"
        f" increment {facts.increment:d} minvalue {facts.minimum:d} maxvalue {facts.maximum:d} cache {facts.cache:d}"
        f"{' cycle' if facts.cycles else ''}"
    )


def _owner(schema: str, facts: SequenceFacts) -> str:
    table, column = facts.owner or ("", "")
    return f"alter sequence {qualified(schema, facts.name)} owned by {qualified(schema, table)}.{quoted(column)}"


def _value(schema: str, facts: SequenceFacts) -> str:
    name = qualified(schema, facts.name)
    if facts.is_identity and facts.owner is not None:
        table, column = facts.owner
        name_of = f"pg_get_serial_sequence({literal(qualified(schema, table))}, {literal(column)})"
        return f"select setval({name_of}, {facts.last_value:d})"
    return f"select setval({literal(name)}, {facts.last_value:d})"


def _table(schema: str, name: str, facts: TableFacts) -> str:
    columns = ",\n".join(f"  {_column(column)}" for column in facts.schema)
    return f"create table {qualified(schema, name)} (\n{columns}\n)"


def _column(facts: ColumnFacts) -> str:
    parts = [quoted(facts.column_name), facts.data_type]
    if facts.generated:
        kind = "stored" if facts.generated == "s" else "virtual"
        parts.append(f"generated always as ({facts.column_default}) {kind}")
    elif facts.identity:
        parts.append(f"generated {'always' if facts.identity == 'a' else 'by default'} as identity")
    elif facts.column_default is not None:
        parts.append(f"default {facts.column_default}")
    if facts.is_nullable == "NO":
        parts.append("not null")
    return " ".join(parts)


def _constraint(schema: str, table: str, facts: NamedDefinition) -> str:
    return f"alter table {qualified(schema, table)} add constraint {quoted(facts.name)} {facts.definition}"


def _view(schema: str, facts: NamedDefinition) -> str:
    kind = "materialized view" if facts.kind == "m" else "view"
    options = " with (security_invoker = true)" if facts.kind == "i" else ""
    return f"create {kind} {qualified(schema, facts.name)}{options} as {facts.definition.rstrip().rstrip(';')}"


def _access(schema: str, name: str, facts: TableFacts) -> Iterator[str]:
    """Who may see and do what: row-level security, its policies, and the grants to users."""
    table = qualified(schema, name)
    if facts.rls_enabled:
        yield f"alter table {table} enable row level security"
    if facts.rls_forced:
        yield f"alter table {table} force row level security"
    yield from (_policy(table, policy) for policy in facts.policies)
    for grant in facts.grants:
        yield f"revoke all on {table} from {quoted(grant.role)}"
        if grant.privileges:
            yield f"grant {', '.join(grant.privileges)} on {table} to {quoted(grant.role)}"


def _policy(table: str, facts: PolicyFacts) -> str:
    roles = ", ".join("public" if role == "public" else quoted(role) for role in facts.roles)
    kind = "permissive" if facts.permissive else "restrictive"
    parts = [f"create policy {quoted(facts.policy_name)} on {table} as {kind} for {facts.cmd} to {roles}"]
    if facts.qual is not None:
        parts.append(f"using ({facts.qual})")
    if facts.with_check is not None:
        parts.append(f"with check ({facts.with_check})")
    return " ".join(parts)


def _value_text(text: str | None) -> str:
    return "null" if text is None else literal(text)
