"""Rows in files: which columns a CSV has, and JSON as what COPY reads."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from headwater.platform.database.errors import InvalidUpload
from headwater.platform.database.rules import written_for_postgres

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONGEST_HEADER = 256 * 1024
_JSON = frozenset({"json", "jsonb"})
_OBJECTS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v"})
_NULL = "\\N"

Rows = Sequence[Mapping[str, msgspec.Raw]]


def without_mark(content: memoryview) -> memoryview:
    """The content after its byte order mark, if it begins with one."""
    marked = bytes(content[: len(_BYTE_ORDER_MARK)]) == _BYTE_ORDER_MARK
    return content[len(_BYTE_ORDER_MARK) :] if marked else content


def csv_columns(content: memoryview, delimiter: str) -> tuple[str, ...]:
    """The names in a CSV's first row. Raises `InvalidUpload`."""
    head = bytes(content[:_LONGEST_HEADER])
    text = head.decode("utf-8", "replace")
    try:
        columns: list[str] = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), [""])
    except csv.Error as failure:
        raise InvalidUpload(reason=f"the header row cannot be read: {failure}") from failure
    if not any(columns):
        raise InvalidUpload(reason="there is no header row that names the columns")
    return tuple(column.strip() for column in columns)


def json_rows(content: memoryview, *, by_lines: bool) -> Rows:
    """The objects of a JSON array, or of a text with one on each line; values stay as they are written.

    Every object has the keys of the first. Raises `InvalidUpload`, which names the row.
    """
    try:
        rows: list[dict[str, msgspec.Raw]] = _OBJECT.decode_lines(content) if by_lines else _OBJECTS.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as failure:
        raise InvalidUpload(reason=f"an array of objects is wanted: {failure}") from failure
    if not rows:
        return rows
    keys = rows[0].keys()
    for number, row in enumerate(rows, 1):
        if row.keys() != keys:
            odd = min(row.keys() ^ keys)
            verb = "has" if odd in row else "lacks"
            raise InvalidUpload(
                reason=f"row {number} {verb} {odd!r}, unlike row 1: all rows must have the same columns"
            )
    return rows


def as_copy(rows: Rows, types: Mapping[str, str]) -> bytes:
    """Rows in COPY's text format; `types` are the columns' and give their order."""
    columns = tuple(types.items())
    lines = ("\t".join([_value(row[name], kind) for name, kind in columns]) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()


def _value(raw: msgspec.Raw, kind: str) -> str:
    text = bytes(raw)
    first = text[:1]
    if first == b"n":
        return _NULL
    if kind in _JSON:
        return text.decode().translate(_ESCAPES)
    if first == b'"' or (first == b"[" and kind.endswith("[]")):
        decoded: Any = msgspec.json.decode(text)
        return (written_for_postgres(decoded, kind) or "").translate(_ESCAPES)
    return text.decode().translate(_ESCAPES)
