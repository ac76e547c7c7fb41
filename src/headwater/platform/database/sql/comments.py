"""What people wrote beside tables, columns, types and the rest, as the statements that write it again."""

from collections.abc import Iterable, Iterator

from headwater.platform.database.models import NamedDefinition, SchemaFacts, TableFacts
from headwater.platform.database.sql.identifiers import literal, qualified, quoted

_VIEWS = {"m": "materialized view"}


def make_comments(schema: str, facts: SchemaFacts) -> Iterator[str]:
    """A statement for each comment of a schema; whatever it is about is there already."""
    for each in facts.types:
        kind = "domain" if each.base is not None else "type"
        yield from _comment(f"{kind} {qualified(schema, each.name)}", each.comment)
    for each in facts.functions:
        yield from _comment(f"routine {qualified(schema, each.name)}({each.arguments})", each.comment)
    for each in facts.views:
        yield from _comment(f"{_VIEWS.get(each.kind, 'view')} {qualified(schema, each.name)}", each.comment)
    for name, table in facts.tables.items():
        yield from _of_table(schema, name, table)


def _of_table(schema: str, name: str, facts: TableFacts) -> Iterator[str]:
    table = qualified(schema, name)
    yield from _comment(f"table {table}", facts.comment)
    for column in facts.schema:
        yield from _comment(f"column {table}.{quoted(column.column_name)}", column.comment)
    for index in facts.indexes:
        yield from _comment(f"index {qualified(schema, index.name)}", index.comment)
    for policy in facts.policies:
        yield from _comment(f"policy {quoted(policy.policy_name)} on {table}", policy.comment)
    yield from _parts("constraint", table, (*facts.constraints, *facts.foreign_keys))
    yield from _parts("trigger", table, facts.triggers)


def _parts(kind: str, table: str, parts: Iterable[NamedDefinition]) -> Iterator[str]:
    for part in parts:
        yield from _comment(f"{kind} {quoted(part.name)} on {table}", part.comment)


def _comment(place: str, text: str | None) -> Iterator[str]:
    if text is not None:
        yield f"comment on {place} is {literal(text)}"
