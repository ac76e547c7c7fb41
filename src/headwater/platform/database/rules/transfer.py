"""What belongs to an export, and how it is written down."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from headwater.platform.database.models import SequenceFacts, TableFacts, TypeFacts, Upload, WantedExport

_YES = frozenset({"true", "1", "on", "yes"})


def is_on(upload: Upload, field: str) -> bool:
    """Whether a field of a form says yes."""
    return upload.fields.get(field, "").strip().lower() in _YES


def used_types(types: Sequence[TypeFacts], tables: Mapping[str, TableFacts]) -> list[TypeFacts]:
    """The types that columns of the tables are of, also as arrays, and those that these are made of."""
    used = {_bare(column.data_type) for table in tables.values() for column in table.schema}
    for each in reversed(types):  # a type is made after those that it is made of
        if _is_used(each, used):
            used |= {_bare(part.definition) for part in each.attributes or ()}
            used |= set() if each.base is None else {_bare(each.base)}
            used |= set() if each.range is None else {_bare(each.range.subtype)}
    return [each for each in types if _is_used(each, used)]


def _is_used(each: TypeFacts, used: AbstractSet[str]) -> bool:
    return each.name in used or (each.range is not None and each.range.multirange in used)


def _bare(kind: str) -> str:
    """A type's name without its schema, its quotes and its brackets."""
    return kind.partition("[")[0].rpartition(".")[2].strip('"')


def wanted_sequences(
    sequences: Sequence[SequenceFacts], tables: Mapping[str, TableFacts], wanted: WantedExport
) -> tuple[SequenceFacts, ...]:
    """The sequences that the tables' columns own, without which they could not be made, and all where that is asked."""
    return tuple(
        each for each in sequences if wanted.include_sequences or (each.owner is not None and each.owner[0] in tables)
    )


def script(statements: Iterable[str], timestamp: str, truncated: Mapping[str, int]) -> str:
    """Statements as a file for people and for an import; what is not all there is told at its head."""
    head = [f"-- Headwater export of {timestamp}: run it in one transaction"]
    head += [f"-- not all rows: {table!r} has {count}" for table, count in truncated.items()]
    return "\n".join([*head, *(f"{statement.rstrip().rstrip(';')};" for statement in statements)]) + "\n"


def inserted_rows(answers: Iterable[str]) -> int:
    """How many rows the INSERTs among Postgres' answers wrote."""
    return sum(int(answer.rpartition(" ")[2]) for answer in answers if answer.startswith("INSERT "))
