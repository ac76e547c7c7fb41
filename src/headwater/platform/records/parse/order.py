"""The order of rows."""

import re

from headwater.platform.records.models import Field, Measure, OrderTerm
from headwater.platform.records.parse.measures import read_subject
from headwater.platform.records.parse.scanner import Scanner

_DIRECTION = re.compile(r"\.(asc|desc)(?=$|[.,\s])")
_NULLS = re.compile(r"\.(nullsfirst|nullslast)(?=$|[,\s])")


def parse_order(text: str) -> tuple[OrderTerm, ...]:
    """`column.desc.nullslast,relation(column),count(),relation(column.sum())`; an empty text orders nothing."""
    scanner = Scanner(text, "order")
    terms: list[OrderTerm] = []
    scanner.skip_space()
    while not scanner.at_end():
        terms.append(_read_term(scanner))
        scanner.skip_space()
        if scanner.at_end():
            break
        scanner.take(",")
        scanner.skip_space()
    return tuple(terms)


def _read_term(scanner: Scanner) -> OrderTerm:
    relation, field = _read_place(scanner)
    direction = scanner.match(_DIRECTION)
    nulls = scanner.match(_NULLS)
    return OrderTerm(
        field=field,
        relation=relation,
        descending=None if direction is None else direction[1] == "desc",
        nulls_first=None if nulls is None else nulls[1] == "nullsfirst",
    )


def _read_place(scanner: Scanner) -> tuple[str | None, Field | Measure]:
    """`relation(column->key)` or `column->key`, or an aggregate in the column's place."""
    subject = read_subject(scanner)
    if not isinstance(subject, Field) or subject.path or not scanner.took("("):
        return None, subject
    inner = read_subject(scanner)
    scanner.take(")")
    return subject.name, inner
