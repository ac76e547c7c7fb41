"""Rows in files: which columns a CSV has, and JSON as what COPY reads."""

import csv
import io
from collections.abc import Iterable, Iterator, KeysView, Mapping
from typing import Any

import msgspec

from headwater.platform.database.errors import InvalidUpload
from headwater.platform.database.parse.cutting import PIECE, cut_array, cut_lines, no_objects
from headwater.platform.database.rules import written_for_postgres

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONGEST_HEADER = 256 * 1024
_JSON = frozenset({"json", "jsonb"})
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v"})
_NULL = "\\N"

Row = Mapping[str, msgspec.Raw]


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


def json_rows(content: memoryview, *, by_lines: bool) -> Iterator[Row]:
    """The objects of a JSON array, or of a text with one on each line; values stay as they are written.

    They are read one after the other, as they are asked for, and every one has the keys of the first. Raises
    `InvalidUpload`, which names the row.
    """
    keys: KeysView[str] | None = None
    for number, text in enumerate(cut_lines(content) if by_lines else cut_array(content), 1):
        try:
            row = _OBJECT.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as failure:
            raise no_objects(f"row {number}: {failure}") from failure
        keys = row.keys() if keys is None else keys
        if row.keys() != keys:
            odd = min(row.keys() ^ keys)
            verb = "has" if odd in row else "lacks"
            raise InvalidUpload(
                reason=f"row {number} {verb} {odd!r}, unlike row 1: all rows must have the same columns"
            )
        yield row


def as_copy(rows: Iterable[Row], types: Mapping[str, str]) -> Iterator[bytes]:
    """Rows in COPY's text format, in pieces of about `PIECE` bytes; `types` are the columns' and give their order."""
    columns = tuple(types.items())
    lines: list[str] = []
    length = 0
    for row in rows:
        line = "\t".join([_value(row[name], kind) for name, kind in columns]) + "\n"
        lines.append(line)
        length += len(line)
        if length >= PIECE:
            yield "".join(lines).encode()
            lines, length = [], 0
    yield "".join(lines).encode()


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
