"""Types written as the statements that make them again."""

from collections.abc import Iterator

from headwater.platform.database.models import RangeFacts, TypeFacts
from headwater.platform.database.sql.identifiers import literal, qualified, quoted


def make_type(schema: str, facts: TypeFacts) -> Iterator[str]:
    """The statements that make an enumerated, composite or range type, or a domain."""
    name = qualified(schema, facts.name)
    if facts.range is not None:
        yield from _range(schema, name, facts.range)
    elif facts.labels is not None:
        yield f"create type {name} as enum ({', '.join(map(literal, facts.labels))})"
    elif facts.attributes is not None:
        attributes = ", ".join(f"{quoted(each.name)} {each.definition}" for each in facts.attributes)
        yield f"create type {name} as ({attributes})"
    else:
        yield _domain(name, facts)


def _domain(name: str, facts: TypeFacts) -> str:
    parts = [f"create domain {name} as {facts.base}"]
    if facts.default is not None:
        parts.append(f"default {facts.default}")
    if facts.required:
        parts.append("not null")
    parts += [f"constraint {quoted(check.name)} {check.definition}" for check in facts.checks]
    return " ".join(parts)


def _range(schema: str, name: str, facts: RangeFacts) -> Iterator[str]:
    if facts.difference_definition is not None:
        yield facts.difference_definition
    options = {
        "subtype": facts.subtype,
        "subtype_opclass": facts.operator_class,
        "collation": facts.collation,
        "canonical": facts.canonical,
        "subtype_diff": facts.difference,
        "multirange_type_name": qualified(schema, facts.multirange),
    }
    written = ", ".join(f"{option} = {value}" for option, value in options.items() if value is not None)
    yield f"create type {name} as range ({written})"
