"""Postgres' types in JSON Schema's words, and defaults that are plain values."""

import re
from typing import Any

import msgspec

_INTEGERS = {"smallint": "int32", "integer": "int32", "bigint": "int64"}
_NUMBERS = frozenset({"numeric", "real", "double precision"})
_ANYTHING = frozenset({"json", "jsonb"})
_TYPES: dict[str, dict[str, Any]] = {
    **{name: {"type": "integer", "format": width} for name, width in _INTEGERS.items()},
    **{name: {"type": "number"} for name in _NUMBERS},
    "boolean": {"type": "boolean"},
    "uuid": {"type": "string", "format": "uuid"},
    "date": {"type": "string", "format": "date"},
    "timestamp with time zone": {"type": "string", "format": "date-time"},
}
_LITERAL = re.compile(r"'((?:[^']|'')*)'(?:::.+)?", re.DOTALL)
_PLAIN = re.compile(r"(-?\d+(?:\.\d+)?|true|false)(?:::.+)?")
_UNKNOWN = ""

ABSENT = object()
"""Stands for no value, where null would be one."""


def json_type(base_type: str, category: str = _UNKNOWN) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a type's values as Postgres writes them in JSON.

    `base_type` is the type under any domain, `category` its `pg_type.typcategory`; {} where anything may come.
    """
    if base_type.endswith("[]"):
        return {"type": "array", "items": json_type(base_type[:-2])}
    if base_type in _TYPES:
        return dict(_TYPES[base_type])
    if base_type in _ANYTHING or (category == _UNKNOWN and "." in base_type):
        return {}
    if category == "C":
        return {"type": "object"}
    return {"type": "string"}


def swagger_type(shown_type: str) -> str | None:
    """The word PostgREST's description has for a type; None for JSON, which may be anything."""
    if shown_type.endswith("[]"):
        return "array"
    bare = shown_type.partition("(")[0]
    if bare in _ANYTHING:
        return None
    if bare in _INTEGERS:
        return "integer"
    if bare in _NUMBERS:
        return "number"
    return "boolean" if bare == "boolean" else "string"


def plain_default(default: str | None, kind: object) -> Any:
    """The value of a default that is a literal, as JSON of the type `kind`.

    `ABSENT` for an expression, for what is no such JSON, or where there is no default.
    """
    if default is None:
        return ABSENT
    literal = _LITERAL.fullmatch(default)
    plain = literal[1].replace("''", "'") if literal else _PLAIN.fullmatch(default)
    if plain is None:
        return ABSENT
    text = plain if isinstance(plain, str) else plain[1]
    if kind == "string":
        return text
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return ABSENT
    return value if _is_of(value, kind) else ABSENT


def _is_of(value: object, kind: object) -> bool:
    match kind:
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case None:
            return True
        case _:
            return False
