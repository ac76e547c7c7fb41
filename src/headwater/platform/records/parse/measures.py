"""Aggregates, as `select` writes them, in the order and in `having` too."""

import re
from typing import Literal

from headwater.platform.records.models import Aggregate, Field, Measure
from headwater.platform.records.parse.names import read_field
from headwater.platform.records.parse.scanner import Scanner

_TYPE = re.compile(r"[\w$ ]+")
_AGGREGATE = re.compile(r"\.(avg|count|max|min|sum)\(\)")
_COUNT = re.compile(r"count\(\)")


def read_measure(scanner: Scanner) -> Measure:
    """`column::cast.sum()::cast`, or `count()`."""
    subject = read_subject(scanner)
    if isinstance(subject, Field):
        scanner.fail("an aggregate, such as count() or .sum()")
    return subject


def read_subject(scanner: Scanner) -> Field | Measure:
    """A field, or an aggregate of it, or `count()`; only what is aggregated can be cast."""
    if counted := read_count(scanner):
        return Measure(aggregate=counted)
    field = read_field(scanner)
    cast = read_cast(scanner)
    if aggregate := read_aggregate(scanner):
        return Measure(aggregate=aggregate, field=field, cast=cast)
    if cast is not None:
        scanner.fail("an aggregate, such as .sum()")
    return field


def read_count(scanner: Scanner) -> Aggregate | None:
    """`count()::cast`, if it comes next."""
    return Aggregate("count", read_cast(scanner)) if scanner.match(_COUNT) else None


def read_aggregate(scanner: Scanner) -> Aggregate | None:
    """`.sum()::cast` or its like, if it comes next."""
    found = scanner.match(_AGGREGATE)
    return Aggregate(_function(found[1]), read_cast(scanner)) if found else None


def read_cast(scanner: Scanner) -> str | None:
    """`::type`, if it comes next."""
    if not scanner.took("::"):
        return None
    found = scanner.match(_TYPE)
    if not found or not found[0].strip():
        scanner.fail("type name")
    return found[0].strip()


def _function(word: str) -> Literal["avg", "count", "max", "min", "sum"]:
    match word:
        case "avg" | "count" | "max" | "min":
            return word
        case _:
            return "sum"
