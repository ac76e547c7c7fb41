"""A schema written as the statements that make it again."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from headwater.platform.database.models import (
    ColumnFacts,
    NamedDefinition,
    PolicyFacts,
    SchemaFacts,
    SequenceFacts,
    TableFacts,
)
from headwater.platform.database.sql.comments import make_comments
from headwater.platform.database.sql.identifiers import listed, literal, qualified, quoted
from headwater.platform.database.sql.types import make_type

_ROWS_A_STATEMENT = 100
_PRIMARY_KEY = re.compile(r"PRIMARY KEY \((.+?)\)(?: INCLUDE | WITH|$)")


def make_schema(schema: str, facts: SchemaFacts, *, rows: Iterable[str] = ()) -> Iterator[str]:
    """The statements, in an order in which each finds what it needs; `rows` are those that write the rows.

    Keys come after the rows, so that tables which refer to each other need no order, and values of sequences last.
    """
    tables = facts.tables
    owners = {(name, column.column_name) for name, table in tables.items() for column in table.schema}
    yield "set local check_function_bodies = off"
    for each in facts.types:
        yield from make_type(schema, each)
    yield from (_sequence(schema, each) for each in facts.sequences if not each.is_identity)
    identities = {each.owner: each for each in facts.sequences if each.is_identity and each.owner is not None}
    for name in tables:
        yield from _made(schema, name, tables, identities)
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
    yield from make_comments(schema, facts)
    yield from (_value(schema, each) for each in facts.sequences)


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
    return f"select {selected} from only {qualified(schema, table)} order by {order} limit {limit:d}"


def count_own_rows(schema: str, table: str) -> str:
    """The statement that counts a table's rows, without those of the tables that inherit from it."""
    return f"select count(*) from only {qualified(schema, table)}"


def select_json(statement: str) -> str:
    """The statement that gives another one's rows as one JSON array."""
    return f"select coalesce(json_agg(r), '[]') from ({statement}) r"


def select_position(schema: str, sequence: str) -> str:
    """The statement that reads where a sequence stands."""
    return f"select last_value, is_called from {qualified(schema, sequence)}"


def truncate(tables: Iterable[tuple[str, str]]) -> str:
    """The statement that empties tables, and no others."""
    return "truncate " + ", ".join(qualified(schema, table) for schema, table in tables)


def stored_columns(facts: TableFacts) -> tuple[str, ...]:
    """The columns that may be written; none where the rows lie in partitions."""
    if facts.partitioned_by is not None:
        return ()
    return tuple(column.column_name for column in facts.schema if not column.generated)


def _sequence(schema: str, facts: SequenceFacts) -> str:
    return f"create sequence {qualified(schema, facts.name)} as {facts.data_type} {_options(facts)}"


def _options(facts: SequenceFacts) -> str:
    return (
        f"start {facts.start:d} increment {facts.increment:d} minvalue {facts.minimum:d} maxvalue {facts.maximum:d}"
        f" cache {facts.cache:d}{' cycle' if facts.cycles else ''}"
    )


def _owner(schema: str, facts: SequenceFacts) -> str:
    table, column = facts.owner or ("", "")
    return f"alter sequence {qualified(schema, facts.name)} owned by {qualified(schema, table)}.{quoted(column)}"


def _value(schema: str, facts: SequenceFacts) -> str:
    """The statement that lets a sequence go on where it was."""
    name = literal(qualified(schema, facts.name))
    if facts.last_value is not None:
        return f"select setval({name}, {facts.last_value:d})"
    return f"select setval({name}, {facts.start if facts.next_value is None else facts.next_value:d}, false)"


def _made(
    schema: str, name: str, tables: Mapping[str, TableFacts], identities: Mapping[tuple[str, str], SequenceFacts]
) -> Iterator[str]:
    """The statements that make a table: a partition has its whole's columns, an heir those of all its parents."""
    facts = tables[name]
    table = qualified(schema, name)
    key = "" if facts.partitioned_by is None else f" partition by {facts.partitioned_by}"
    if facts.part_of is not None and facts.part_of in tables:
        parents = [facts.part_of]
        yield f"create table {table} partition of {qualified(schema, facts.part_of)} {facts.bound}{key}"
    else:
        parents = [parent for parent in facts.inherits if parent in tables]
        own = [column for column in facts.schema if not (parents and column.inherited)]
        columns = ",\n".join(f"  {_column(schema, each, identities.get((name, each.column_name)))}" for each in own)
        above = f" inherits ({', '.join(qualified(schema, parent) for parent in parents)})" if parents else ""
        yield f"create table {table} (\n{columns}\n){above}{key}"
    given = {column.column_name: column for parent in reversed(parents) for column in tables[parent].schema}
    yield from _differences(table, facts, given)


def _differences(table: str, facts: TableFacts, given: Mapping[str, ColumnFacts]) -> Iterator[str]:
    """How the columns that a table has from another differ from that one's: they are stricter, or default otherwise."""
    for column in facts.schema:
        inherited = given.get(column.column_name)
        if inherited is None:
            continue
        change = f"alter table only {table} alter column {quoted(column.column_name)}"
        if column.column_default != inherited.column_default and not column.generated and not column.identity:
            yield f"{change} {_default(column)}"
        if column.is_nullable != inherited.is_nullable:
            yield f"{change} set not null"


def _default(facts: ColumnFacts) -> str:
    return "drop default" if facts.column_default is None else f"set default {facts.column_default}"


def _column(schema: str, facts: ColumnFacts, sequence: SequenceFacts | None) -> str:
    parts = [quoted(facts.column_name), facts.data_type]
    if facts.generated:
        kind = "stored" if facts.generated == "s" else "virtual"
        parts.append(f"generated always as ({facts.column_default}) {kind}")
    elif facts.identity:
        parts.append(f"generated {'always' if facts.identity == 'a' else 'by default'} as identity")
        if sequence is not None:
            parts.append(f"(sequence name {qualified(schema, sequence.name)} {_options(sequence)})")
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
