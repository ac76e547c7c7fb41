"""A request taken apart: its shape, which decides the SQL, and its values, which are only ever parameters."""

from urllib.parse import unquote_plus

from headwater.platform.records.errors import UnreadableQuery, UnservableRange
from headwater.platform.records.models import EVERYTHING, Parameter, Window
from headwater.platform.records.parse import (
    BRACKETED,
    HAVING,
    OPERATORS,
    parse_having,
    parse_is_word,
    parse_list,
    parse_range,
    split_condition,
)
from headwater.platform.records.shape.trees import read_tree

MOST_VALUES = 10_000
"""Postgres takes at most 65,535 parameters, its protocol here half of that."""
_MOST_KNOWN, _LONGEST_KNOWN = 512, 512
"""Queries that are remembered, and the characters of one: so the memory has a size."""
_known: dict[str, tuple[tuple[Parameter, ...], Window]] = {}
"""Queries without values: policies let many users ask with one text, and be told their own rows."""
_NEEDLESS = (
    ("%2C", ","), ("%28", "("), ("%29", ")"), ("%22", '"'), ("%3A", ":"), ("%3E", ">"), ("%7B", "{"), ("%7D", "}")
)  # fmt: skip
"""Escapes that browsers write, of characters that separate no parameters and are part of no other escape."""
_STRUCTURAL = frozenset({"select", "order", "columns", "on_conflict"})
_WINDOW = frozenset({"limit", "offset"})
_LOGICAL = frozenset({"and", "or"})
_SPECIAL = _STRUCTURAL | _WINDOW | _LOGICAL | {"by", ""}
_PLAIN = OPERATORS - {"in", "is"}
_LARGEST = 2**63 - 1


def take_apart(query: str) -> tuple[tuple[Parameter, ...], list[str], Window]:
    """A raw query string as its structure, its values in the order of their slots, and its window.

    Raises `UnreadableQuery` and `UnservableRange`.
    """
    known = _known.get(query)
    if known is not None:
        return known[0], [], known[1]
    parameters, values, window = _taken_apart(query)
    if not values and len(query) <= _LONGEST_KNOWN:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()  # at once, because a long body is taken apart in a thread of its own
        _known[query] = parameters, window
    return parameters, values, window


def _taken_apart(query: str) -> tuple[tuple[Parameter, ...], list[str], Window]:
    parameters: list[Parameter] = []
    values: list[str] = []
    bounds: dict[str, int] = {}
    if "%" in query:
        query = _without_needless(query)
    escaped = "%" in query or "+" in query
    for part in query.split("&"):
        key, _, value = decoded_pair(part) if escaped and ("%" in part or "+" in part) else part.partition("=")
        if key in _SPECIAL or "." in key:
            _take_special(key, value, parameters, values, bounds)
        else:
            parameters.append(_condition(key, value, values))
    if len(values) > MOST_VALUES:
        raise UnreadableQuery(what="filter", text="…", column=1, details=f"expecting at most {MOST_VALUES} values")
    return tuple(parameters), values, Window(bounds.get("limit"), bounds.get("offset", 0)) if bounds else EVERYTHING


def _take_special(key: str, value: str, parameters: list[Parameter], values: list[str], bounds: dict[str, int]) -> None:
    """Take in a parameter that may be no condition on a column of the relation's own."""
    last = key[key.rfind(".") + 1 :]
    if key in _STRUCTURAL or last == "order":
        parameters.append((key, value, -1))
    elif last in _WINDOW:
        number = _whole(value, last)
        if key == last:
            bounds[key] = number
        else:
            values.append(str(number))
            parameters.append((key, "", len(values) - 1))
    elif last in _LOGICAL:
        parameters.append((key, read_tree(_own_words(key), value, values), -1))
    elif key:
        parameters.append(_condition(key, value, values))


def _without_needless(query: str) -> str:
    for escape, character in _NEEDLESS:
        query = query.replace(escape, character)
    return query


def split_schema(query: str, profile: str | None) -> tuple[str | None, str]:
    """The schema that `?schema=` names, or else `profile`; and the query without it.

    Raises `UnreadableQuery` where it is blank or repeated.
    """
    if "schema=" not in query:
        return profile, query
    parts = query.split("&")
    named = [part for part in parts if part.startswith("schema=")]
    if not named:
        return profile, query
    schema = decoded_pair(named[0])[2].strip()
    if not schema or len(named) > 1:
        raise UnreadableQuery(what="schema parameter", text=query, column=1, details="expecting one schema name")
    return schema, "&".join(part for part in parts if not part.startswith("schema="))


def narrowed(window: Window, range_header: str | None, max_rows: int | None) -> Window:
    """The window that is also within the `Range` header and the most rows one answer may hold."""
    if range_header is None and max_rows is None:
        return window
    limit, offset = window
    if range_header is not None:
        first, count = parse_range(range_header)
        end = _least(_end(first, count), _end(offset, limit))
        offset = max(first, offset)
        limit = None if end is None else max(end - offset, 0)
    return Window(_least(limit, max_rows), offset)


def _condition(key: str, text: str, values: list[str]) -> Parameter:
    head, dot, operand = text.partition(".")
    if dot and head in _PLAIN:
        values.append(operand)
        return key, head, len(values) - 1
    if dot and head == "in":
        values.append(parse_list(operand))
        return key, head, len(values) - 1
    if text[:1] == "(" and (word := key[key.rfind(".") + 1 :]) in BRACKETED:
        return key, parse_having(text, values) if word == HAVING else text, -1
    head, operand = split_condition(text, key)
    operator = head.removeprefix("not.")
    if operator == "is":
        return key, f"{head}.{parse_is_word(operand)}", -1
    values.append(parse_list(operand) if operator == "in" else operand)
    return key, head, len(values) - 1


def _own_words(key: str) -> str:
    """`not.or` of `relation.not.or`: the words that are the tree's own."""
    if "." not in key:
        return key
    words = key.split(".")
    return ".".join(words[-2:]) if words[-2:-1] == ["not"] else words[-1]


def decoded_pair(part: str) -> tuple[str, str, str]:
    """A parameter's key, its `=` and its value, percent-decoded. Raises `UnreadableQuery`."""
    key, equals, value = part.partition("=")
    try:
        key, value = unquote_plus(key, errors="strict"), unquote_plus(value, errors="strict")
    except UnicodeDecodeError as failure:
        raise UnreadableQuery(what="query string", text=part, column=1, details="expecting UTF-8") from failure
    if "\0" in key or "\0" in value:
        raise UnreadableQuery(what="query string", text=part, column=1, details="unexpected NUL")
    return key, equals, value


def _whole(text: str, name: str) -> int:
    """A limit or an offset."""
    if text.isdecimal() and text.isascii() and len(text) < 19:
        return int(text)
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise UnreadableQuery(what=f"{name} parameter", text=text, column=1, details="expecting a whole number")
    if text[0] == "-":
        raise UnservableRange(details=f"{name.capitalize()} should be greater than or equal to zero.")
    return int(digits) if len(digits) < 19 else _LARGEST


def _end(offset: int, limit: int | None) -> int | None:
    return None if limit is None else offset + limit


def _least(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)
