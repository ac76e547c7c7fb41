"""Values of Postgres in the JSON forms that node-pg gives them."""

import math
import struct
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import msgspec
from asyncpg import Attribute, BitString, Circle, Point, Range, Record
from asyncpg.types import Type

from headwater.kernel.database import Json
from headwater.platform.database.models import ResultField, StatementResult

_COUNTING = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "FETCH", "MOVE", "COPY"})
_MICROSECONDS_PER_HOUR = 3_600_000_000
_MICROSECONDS_PER_MINUTE = 60_000_000
_MICROSECONDS_PER_SECOND = 1_000_000
_LATEST = datetime.max.replace(tzinfo=UTC)
_EARLIEST = datetime.min.replace(tzinfo=UTC)
"""Where asyncpg puts Postgres' infinities, which JSON cannot hold."""


def result_of(attributes: Sequence[Attribute], rows: Sequence[Record], tag: str) -> StatementResult:
    """A statement's result in node-pg's form.

    64-bit and decimal numbers are texts, moments ISO 8601 in milliseconds, JSON is JSON, arrays are lists, bytes
    `{"type": "Buffer", "data": […]}`; whatever has no form of its own is told in Postgres' text. Of columns with one
    name the last wins, as there. Intervals come in as (months, days, microseconds).
    """
    columns = [(attribute.name, _form_of(attribute.type)) for attribute in attributes]
    word, _, _ = tag.partition(" ")
    count = tag.rpartition(" ")[2]
    return StatementResult(
        rows=[
            {name: None if value is None else form(value) for (name, form), value in zip(columns, row, strict=True)}
            for row in rows
        ],
        row_count=int(count) if word in _COUNTING and count.isdigit() else None,
        fields=tuple(ResultField(name=attribute.name, data_type_id=attribute.type.oid) for attribute in attributes),
    )


def _form_of(kind: Type) -> Callable[[Any], object]:
    if kind.name in {"int2vector[]", "oidvector[]"}:
        return lambda items: " ".join(map(str, items))
    if kind.kind == "array":
        form = _FORMS.get(kind.name.removesuffix("[]"), _text)
        return lambda items: _each(items, form)
    if kind.kind == "multirange":
        return lambda ranges: "{" + ",".join(map(_text, ranges)) + "}"
    return _FORMS.get(kind.name, _text)


def _each(items: list[Any], form: Callable[[Any], object]) -> list[object]:
    return [
        None if item is None else _each(item, form) if isinstance(item, list) else form(item)  # pyright: ignore[reportUnknownArgumentType]
        for item in items
    ]


def _as_it_is(value: object) -> object:
    return value


def _decimal(value: Decimal) -> str:
    return format(value, "f") if value.is_finite() else str(value)


def _single(value: float) -> float:
    """A 32-bit float with the fewest digits that mean it, as Postgres writes it."""
    if not math.isfinite(value):
        return value
    packed = struct.pack("f", value)
    shortest = (float(f"{value:.{digits}g}") for digits in range(6, 9))
    return next((candidate for candidate in shortest if struct.pack("f", candidate) == packed), float(f"{value:.9g}"))


def _moment(value: datetime) -> str | None:
    if value.replace(tzinfo=UTC) in {_LATEST, _EARLIEST}:
        return None
    return value.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _day(value: date) -> str | None:
    return None if value in {date.max, date.min} else f"{value.isoformat()}T00:00:00.000Z"


def _interval(value: tuple[int, int, int]) -> dict[str, float]:
    months, days, microseconds = value
    sign = -1 if microseconds < 0 else 1
    hours, rest = divmod(abs(microseconds), _MICROSECONDS_PER_HOUR)
    minutes, rest = divmod(rest, _MICROSECONDS_PER_MINUTE)
    seconds, rest = divmod(rest, _MICROSECONDS_PER_SECOND)
    years, months = (int(math.copysign(part, months)) for part in divmod(abs(months), 12))
    parts = {
        "years": years,
        "months": months,
        "days": days,
        "hours": sign * hours,
        "minutes": sign * minutes,
        "seconds": sign * seconds,
        "milliseconds": sign * rest / 1000,
    }
    return {name: int(part) if part == int(part) else part for name, part in parts.items() if part}


def _point(value: Point) -> dict[str, float]:
    return {"x": value.x, "y": value.y}


def _circle(value: Circle) -> dict[str, float]:
    return {**_point(value.center), "radius": value.radius}


_FORMS: dict[str, Callable[[Any], object]] = {
    "bool": _as_it_is,
    "int2": _as_it_is,
    "int4": _as_it_is,
    "oid": _as_it_is,
    "float4": _single,
    "float8": _as_it_is,
    "numeric": _decimal,
    "json": msgspec.Raw,
    "jsonb": lambda text: msgspec.Raw(text.encode()),
    "bytea": lambda octets: {"type": "Buffer", "data": list(octets)},
    "timestamp": _moment,
    "timestamptz": _moment,
    "date": _day,
    "interval": _interval,
    "point": _point,
    "circle": _circle,
    "char": lambda octet: octet.decode("utf-8", "replace"),
    "pg_lsn": lambda place: f"{place >> 32:X}/{place & 0xFFFFFFFF:X}",
}


def _text(value: Any) -> str:
    """A value as Postgres would write it."""
    return next((write(value) for kind, write in _TEXTS if isinstance(value, kind)), str(value))


def _list(items: list[Any]) -> str:
    return "{" + ",".join("NULL" if item is None else _text(item) for item in items) + "}"


def _row(parts: Iterable[Any]) -> str:
    return "(" + ",".join("" if part is None else _part(_text(part)) for part in parts) + ")"


def _range(value: Range[Any]) -> str:
    if value.isempty:
        return "empty"
    lower = "" if value.lower is None else _part(_text(value.lower))
    upper = "" if value.upper is None else _part(_text(value.upper))
    return f"{'[' if value.lower_inc else '('}{lower},{upper}{']' if value.upper_inc else ')'}"


def _part(text: str) -> str:
    """A part of a row or a range, quoted where Postgres quotes it."""
    if text and not any(character in ' ,"\\()[]' or character.isspace() for character in text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '""') + '"'


_TEXTS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (str, str),
    (bool, lambda truth: "t" if truth else "f"),
    (float, lambda number: repr(number).removesuffix(".0")),
    (Decimal, _decimal),
    (Json, bytes.decode),
    (bytes, lambda octets: "\\x" + octets.hex()),
    (datetime, lambda moment: moment.isoformat(sep=" ").replace("+00:00", "+00")),
    (time, lambda moment: moment.isoformat().removesuffix(":00") if moment.tzinfo else moment.isoformat()),
    (BitString, lambda bits: bits.as_string().replace(" ", "")),
    (Range, _range),
    (list, _list),
    (Record, lambda row: _row(row.values())),
    (tuple, _row),
)
