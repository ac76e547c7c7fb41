"""Filters: operators, their values, and the trees of `and` and `or`."""

import re
from collections.abc import Callable
from typing import Literal

from headwater.platform.records.errors import UnreadableQuery
from headwater.platform.records.models import Condition, Field, Logic, Measure
from headwater.platform.records.parse.measures import read_measure
from headwater.platform.records.parse.names import read_field
from headwater.platform.records.parse.scanner import Scanner

COMPARISONS = frozenset({"eq", "neq", "gt", "gte", "lt", "lte"})
PATTERNS = frozenset({"like", "ilike"})
MATCHES = frozenset({"match", "imatch"})
CONTAINMENTS = frozenset({"cs", "cd", "ov", "sl", "sr", "nxr", "nxl", "adj"})
SEARCHES = frozenset({"fts", "plfts", "phfts", "wfts"})
QUANTIFIED = (COMPARISONS - {"neq"}) | PATTERNS | MATCHES
OPERATORS = COMPARISONS | PATTERNS | MATCHES | CONTAINMENTS | SEARCHES | {"in", "is", "isdistinct"}
IS_WORDS = frozenset({"null", "not_null", "true", "false", "unknown"})

_HEAD = re.compile(r"(not\.)?(count\.)?([a-z]+)(?:\(([^()]*)\))?")
_LOGIC = re.compile(r"(not\.)?(and|or)(?=\()")
_ELEMENT = re.compile(r"[^,)]*")
_OPERAND_HEAD = re.compile(r"((?:not\.)?(?:count\.)?[a-z]+(?:\([^()]*\))?)\.")


def split_condition(text: str, key: str) -> tuple[str, str]:
    """A filter's text as its head, such as `not.eq`, `fts(english)` or `count.gt`, and the value after the dot."""
    found = _OPERAND_HEAD.match(text)
    if not found:
        raise UnreadableQuery(
            what="filter",
            text=text,
            column=1,
            details=f'unexpected "{text[:1]}" expecting "not" or operator (eq, gt, ...), in \'{key}\'',
        )
    return found[1], text[found.end() :]


def parse_condition(head: str, field: Field | Measure, slot: int | None, word: str | None = None) -> Condition:
    """The condition that a head states of a field; its value waits in `slot`."""
    found = _HEAD.fullmatch(head)
    if not found or found[3] not in OPERATORS:
        raise UnreadableQuery(
            what="filter", text=head, column=1, details=f'unexpected "{head}" expecting "not" or operator (eq, gt, ...)'
        )
    counted, operator, argument = found[2] is not None, found[3], found[4]
    if counted and (operator not in COMPARISONS or argument is not None or not _can_be_counted(field)):
        details = "count is compared by eq, neq, gt, gte, lt or lte, as in relation=count.gt.2"
        raise UnreadableQuery(what="filter", text=head, column=1, details=details)
    quantifier: Literal["any", "all"] | None = None
    language: str | None = None
    if argument is not None:
        if operator in SEARCHES and argument:
            language = argument
        elif operator in QUANTIFIED and argument in {"any", "all"}:
            quantifier = "any" if argument == "any" else "all"
        else:
            raise UnreadableQuery(
                what="filter", text=head, column=len(operator) + 1, details=f'unexpected "({argument})"'
            )
    return Condition(
        field=field,
        operator=operator,
        negated=found[1] is not None,
        quantifier=quantifier,
        language=language,
        slot=slot,
        word=word,
        counted=counted,
    )


def _can_be_counted(field: Field | Measure) -> bool:
    """Whether the name may be an embed's."""
    return isinstance(field, Field) and not field.path


def parse_is_word(text: str) -> str:
    """What `is` compares with, in lower case."""
    word = text.strip().lower()
    if word not in IS_WORDS:
        raise UnreadableQuery(
            what="filter", text=f"is.{text}", column=4, details="expecting null, not_null, true, false or unknown"
        )
    return word


def parse_list(text: str) -> str:
    """`(a,b,"c,d")` as a Postgres array literal."""
    if text[:1] == "(" and text.find(")") == len(text) - 1 and '"' not in text:
        return array_of(text[1:-1]) if len(text) > 2 else "{}"
    scanner = Scanner(text, "filter")
    elements = _read_list(scanner)
    scanner.end()
    return array_literal(elements)


def array_literal(elements: list[str]) -> str:
    """A Postgres array literal of texts; every element is quoted, so none can be taken for NULL or for structure."""
    return "{" + ",".join(['"' + e.replace("\\", "\\\\").replace('"', '\\"') + '"' for e in elements]) + "}"


def array_of(text: str) -> str:
    """A Postgres array literal of the texts between the commas of `text`, in which no quotation mark may stand."""
    return '{"' + text.replace("\\", "\\\\").replace(",", '","') + '"}'


def parse_logic(key: str, text: str, values: list[str]) -> Logic:
    """The tree of `or=(…)`; its values are appended to `values`, and their slots are their places there.

    `key` is the parameter's last word or two: `and`, `or`, `not.and`, `not.or`.
    """
    negated, _, conjunction = key.rpartition(".")
    parts = _read_tree(Scanner(text, "logic tree"), values, read_field)
    return Logic(conjunction="or" if conjunction == "or" else "and", parts=parts, negated=bool(negated))


def parse_having(text: str, values: list[str]) -> Logic:
    """`(count().gt.2,or(pages.sum().is.null,year.max().lt.2000))`, with its values as those of `parse_logic`."""
    return Logic(conjunction="and", parts=_read_tree(Scanner(text, "having parameter"), values, read_measure))


_ReadSubject = Callable[[Scanner], Field | Measure]


def _read_tree(scanner: Scanner, values: list[str], read: _ReadSubject) -> tuple[Condition | Logic, ...]:
    scanner.skip_space()
    parts = _read_parts(scanner, values, read)
    scanner.skip_space()
    scanner.end()
    return parts


def _read_parts(scanner: Scanner, values: list[str], read: _ReadSubject) -> tuple[Condition | Logic, ...]:
    scanner.enter()
    scanner.take("(")
    parts: list[Condition | Logic] = []
    while True:
        scanner.skip_space()
        parts.append(_read_part(scanner, values, read))
        scanner.skip_space()
        if scanner.took(")"):
            scanner.leave()
            return tuple(parts)
        scanner.take(",")


def _read_part(scanner: Scanner, values: list[str], read: _ReadSubject) -> Condition | Logic:
    if logic := scanner.match(_LOGIC):
        parts = _read_parts(scanner, values, read)
        return Logic(conjunction="or" if logic[2] == "or" else "and", parts=parts, negated=logic[1] is not None)
    field = read(scanner)
    scanner.take(".")
    head = scanner.match(_OPERAND_HEAD)
    if not head:
        scanner.fail('"not" or operator (eq, gt, ...)')
    operator = head[1].removeprefix("not.")
    if operator == "is":
        return parse_condition(head[1], field, None, parse_is_word(_read_value(scanner)))
    values.append(array_literal(_read_list(scanner)) if operator == "in" else _read_value(scanner))
    return parse_condition(head[1], field, len(values) - 1)


def _read_value(scanner: Scanner) -> str:
    start = scanner.position
    if scanner.looks_at('"'):
        value = scanner.quoted()
        scanner.skip_space()
        if scanner.at_end() or scanner.looks_at(",") or scanner.looks_at(")"):
            return value
        scanner.position = start
    elif end := scanner.closing_brace():
        scanner.position = end
        return scanner.text[start:end]
    return scanner.take_until(_ELEMENT)


def _read_list(scanner: Scanner) -> list[str]:
    scanner.take("(")
    elements: list[str] = []
    if scanner.took(")"):
        return elements
    while True:
        elements.append(_read_element(scanner))
        if scanner.took(")"):
            return elements
        scanner.take(",")


def _read_element(scanner: Scanner) -> str:
    start = scanner.position
    if scanner.looks_at('"'):
        value = scanner.quoted()
        if scanner.looks_at(",") or scanner.looks_at(")"):
            return value
        scanner.position = start
    return scanner.take_until(_ELEMENT)
