"""A question about rows: how it is asked in the dialect, and its answer by plain evaluation, slow and simple."""

import re
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple, cast

Row = dict[str, Any]
Tables = Mapping[str, list[Row]]
Truth = bool | None
"""SQL's truth; None is unknown."""


QUOTE = '"'


class Way(NamedTuple):
    """How an embed is written, where it leads and by what: a column here, a column there, or both of a junction."""

    written: str
    to: str
    many: bool
    near: str = "id"
    far: str = "id"
    through: tuple[str, str, str] | None = None


class Filter(NamedTuple):
    """`column=not.operator.value`, or with `->>key` after the column."""

    column: str
    operator: str
    value: Any
    negated: bool = False
    key: str | None = None


class Tree(NamedTuple):
    """`not.or(…)`."""

    word: str
    parts: tuple["Filter | Tree", ...]
    negated: bool = False


class Term(NamedTuple):
    """`label(column).desc.nullsfirst`."""

    column: str
    descending: bool | None = None
    nulls_first: bool | None = None
    label: str | None = None


class Measure(NamedTuple):
    """`column.function().operator.value`, of a group."""

    function: str
    column: str | None
    operator: str
    value: int


class Question(NamedTuple):
    """A level: which rows of a table, in which order, which page of them, and what is told of each.

    With `aggregates` (function, column, label) the columns make groups, of which those are told that `having` lets
    through. `prefix` stands before the columns' labels.
    """

    table: str
    columns: tuple[str, ...]
    tests: tuple[Filter | Tree, ...] = ()
    order: tuple[Term, ...] = ()
    limit: int | None = None
    offset: int | None = None
    links: tuple["Link", ...] = ()
    aggregates: tuple[tuple[str, str | None, str], ...] = ()
    prefix: str = ""
    having: tuple[Measure, ...] = ()


class Link(NamedTuple):
    """An embed; `wanted` is whether there must be some (`not.is.null`) or none (`is.null`)."""

    label: str
    way: Way
    question: Question
    inner: bool = False
    spread: bool = False
    wanted: bool | None = None

    @property
    def name(self) -> str:
        """What the embed's parameters call it."""
        return self.way.to if self.spread else self.label


# How it is asked.


def query_of(question: Question) -> str:
    """The whole query string."""
    return "&".join([f"select={_select(question)}", *_parameters(question, "")])


def _select(question: Question) -> str:
    items = [f"{question.prefix}{name}:{name}" if question.prefix else name for name in question.columns]
    for function, column, label in question.aggregates:
        items.append(f"{label}:{'' if column is None else f'{column}.'}{function}()")
    for link in question.links:
        before = "..." if link.spread else f"{link.label}:"
        items.append(f"{before}{link.way.written}{'!inner' * link.inner}({_select(link.question)})")
    return ",".join(items)


def _parameters(question: Question, path: str) -> list[str]:
    told: list[str] = []
    for test in question.tests:
        if isinstance(test, Tree):
            told.append(f"{path}{'not.' * test.negated}{test.word}={_tree(test)}")
        else:
            told.append(f"{path}{_place(test)}={_operation(test)}")
    if question.order:
        told.append(f"{path}order={','.join(map(_term, question.order))}")
    if question.having:
        told.append(f"{path}having=({','.join(map(_measure, question.having))})")
    told += [] if question.limit is None else [f"{path}limit={question.limit}"]
    told += [] if question.offset is None else [f"{path}offset={question.offset}"]
    for link in question.links:
        if link.wanted is not None:
            told.append(f"{path}{link.name}={'not.' * link.wanted}is.null")
        told += _parameters(link.question, f"{path}{link.name}.")
    return told


def _measure(measure: Measure) -> str:
    place = "" if measure.column is None else f"{measure.column}."
    return f"{place}{measure.function}().{measure.operator}.{measure.value}"


def _place(test: Filter) -> str:
    return test.column if test.key is None else f"{test.column}->>{test.key}"


def _operation(test: Filter, quote: str = "") -> str:
    """The operator and the value; inside brackets texts stand between quotes."""
    value = test.value
    if isinstance(value, str):
        value = f"{quote}{value}{quote}"
    elif isinstance(value, tuple):
        listed = ",".join(str(one) for one in cast("tuple[int | str, ...]", value))
        value = f"({listed})" if test.operator == "in" else f"{{{listed}}}"
    elif isinstance(value, bool) or value is None:
        value = {True: "true", False: "false", None: "null"}[value]
    return f"{'not.' * test.negated}{test.operator}.{value}"


def _tree(tree: Tree) -> str:
    parts = [
        f"{'not.' * part.negated}{part.word}{_tree(part)}"
        if isinstance(part, Tree)
        else f"{_place(part)}.{_operation(part, quote=QUOTE)}"
        for part in tree.parts
    ]
    return f"({','.join(parts)})"


def _term(term: Term) -> str:
    place = term.column if term.label is None else f"{term.label}({term.column})"
    direction = "" if term.descending is None else ".desc" if term.descending else ".asc"
    nulls = "" if term.nulls_first is None else ".nullsfirst" if term.nulls_first else ".nullslast"
    return f"{place}{direction}{nulls}"


# What the answer is.


def answer(tables: Tables, question: Question, candidates: Iterable[Row] | None = None) -> tuple[list[Row], int]:
    """The rows that are told, and how many there are without limit and offset; of `candidates`, or of all rows."""
    found = _found(tables, question, tables[question.table] if candidates is None else candidates)
    return [told for _, told in _page(question, found)], len(found)


def matching(tables: Tables, question: Question) -> list[Row]:
    """The rows that the filters of the first level match."""
    return [row for row in tables[question.table] if all(_truth(test, row) is True for test in question.tests)]


class _Match(NamedTuple):
    """A row, and what is told of it; a group has no row."""

    row: Row
    told: Row


def _found(tables: Tables, question: Question, candidates: Iterable[Row]) -> list[_Match]:
    """All that is found, in its order, without a page."""
    kept: list[tuple[Row, dict[str, list[_Match]]]] = []
    for row in candidates:
        if all(_truth(test, row) is True for test in question.tests):
            inside = {link.label: _inside(tables, link, row) for link in question.links}
            if all(_is_wanted(link, inside[link.label]) for link in question.links):
                kept.append((row, inside))
    if question.aggregates:
        return _ordered(question, [(group, {}) for group in _groups(question, [row for row, _ in kept])])
    return _ordered(question, kept)


def _inside(tables: Tables, link: Link, row: Row) -> list[_Match]:
    way = link.way
    if way.through is None:
        joined = [other for other in tables[way.to] if other[way.far] == row[way.near] is not None]
    else:
        junction, own, theirs = way.through
        linked = {pair[theirs] for pair in tables[junction] if pair[own] == row["id"]}
        joined = [other for other in tables[way.to] if other["id"] in linked]
    return _page(link.question, _found(tables, link.question, joined))


def _is_wanted(link: Link, found: list[_Match]) -> bool:
    return not (link.inner and not found) and (link.wanted is None or link.wanted == bool(found))


def _page(question: Question, found: list[_Match]) -> list[_Match]:
    rest = found[question.offset or 0 :]
    return rest if question.limit is None else rest[: question.limit]


def _ordered(question: Question, kept: list[tuple[Row, dict[str, list[_Match]]]]) -> list[_Match]:
    """Sorted by the last term first, for sorting keeps what is equal as it was."""
    for term in reversed(question.order):
        nulls_first = bool(term.descending) if term.nulls_first is None else term.nulls_first

        def value(one: tuple[Row, dict[str, list[_Match]]], term: Term = term) -> Any:
            if term.label is None:
                return one[0][term.column]
            inside = one[1][term.label]
            return inside[0].row[term.column] if inside else None

        known = [one for one in kept if value(one) is not None]
        unknown = [one for one in kept if value(one) is None]
        known.sort(key=value, reverse=bool(term.descending))
        kept = [*unknown, *known] if nulls_first else [*known, *unknown]
    if question.aggregates:
        return [_Match(row, row) for row, _ in kept]
    return [_Match(row, _told(question, row, inside)) for row, inside in kept]


def _told(question: Question, row: Row, inside: Mapping[str, list[_Match]]) -> Row:
    told: Row = {f"{question.prefix}{name}": row[name] for name in question.columns}
    for link in question.links:
        found = [match.told for match in inside[link.label]]
        if link.spread:
            for name in (f"{link.question.prefix}{column}" for column in link.question.columns):
                values = [one[name] for one in found]
                told[name] = values if link.way.many else values[0] if values else None
        else:
            told[link.label] = found if link.way.many else found[0] if found else None
    return told


def _groups(question: Question, rows: list[Row]) -> list[Row]:
    """One row for each group; where nothing makes groups there is one of all rows, be they none."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    if not question.columns:
        groups[()] = []
    for row in rows:
        groups.setdefault(tuple(row[name] for name in question.columns), []).append(row)
    return [
        {
            **dict(zip(question.columns, key, strict=True)),
            **{label: _aggregate(function, column, group) for function, column, label in question.aggregates},
        }
        for key, group in groups.items()
        if all(_passes(measure, group) for measure in question.having)
    ]


def _passes(measure: Measure, rows: list[Row]) -> bool:
    value = _aggregate(measure.function, measure.column, rows)
    return value is not None and _COMPARED[measure.operator](value, measure.value)


def _aggregate(function: str, column: str | None, rows: list[Row]) -> Any:
    values = [1 for _ in rows] if column is None else [row[column] for row in rows if row[column] is not None]
    if function == "count":
        return len(values)
    if not values:
        return None
    if function == "avg":
        return float(Fraction(sum(values), len(values)))
    return {"sum": sum, "min": min, "max": max}[function](values)


# Three-valued logic.


def _truth(test: Filter | Tree, row: Row) -> Truth:
    if isinstance(test, Tree):
        truths = [_truth(part, row) for part in test.parts]
        decisive = test.word == "or"
        truth: Truth = decisive if decisive in truths else None if None in truths else not decisive
    else:
        truth = _holds(test, row)
    return truth if truth is None or not test.negated else not truth


def _holds(test: Filter, row: Row) -> Truth:
    value = row[test.column]
    if test.key is not None:
        value = None if value is None else value.get(test.key)
    if test.operator == "is":
        return value is test.value
    if test.operator == "isdistinct":
        return value != test.value
    if test.value == ():
        return "(all)" in test.operator  # of nothing even null is greater than all, and equal to none
    return None if value is None else _COMPARED[test.operator](value, test.value)


_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda one, other: one == other,
    "neq": lambda one, other: one != other,
    "gt": lambda one, other: one > other,
    "gte": lambda one, other: one >= other,
    "lt": lambda one, other: one < other,
    "lte": lambda one, other: one <= other,
    "in": lambda one, other: one in other,
    "eq(any)": lambda one, other: one in other,
    "gt(all)": lambda one, other: all(one > each for each in other),
    "lt(any)": lambda one, other: any(one < each for each in other),
    "like": lambda one, other: re.fullmatch(other.replace("*", ".*"), one) is not None,
    "ilike": lambda one, other: re.fullmatch(other.replace("*", ".*"), one, re.IGNORECASE) is not None,
    "match": lambda one, other: re.search(other, one) is not None,
}
