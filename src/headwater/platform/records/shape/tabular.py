"""Bodies that are no JSON: CSV and forms, turned into JSON whose values are texts for Postgres to read."""

import csv
from collections.abc import Iterator
from io import StringIO
from urllib.parse import parse_qsl

import msgspec

from headwater.kernel.catalog import Relation
from headwater.platform.records.errors import UnreadableBody

_NULL = "NULL"
_encoder = msgspec.json.Encoder()
_JSON = frozenset({"json", "jsonb"})
csv.field_size_limit(2**30)  # for the whole process, and only here is CSV read; bodies are bounded before


def rows_of_csv(raw: bytes, relation: Relation | None) -> tuple[bytes, tuple[str, ...]]:
    """The rows of a CSV text (RFC 4180) as a JSON array, and the columns that its first line names.

    `NULL` is null, an empty field an empty text. What stands in a JSON column of `relation` is JSON. Raises
    `UnreadableBody`.
    """
    lines = _lines(_text(raw))
    header = next(lines, list[str]())
    if not header or "" in header:
        raise UnreadableBody(reason="The first line of a CSV body names the columns")
    if len(set(header)) != len(header):
        raise UnreadableBody(reason="The first line of a CSV body names a column twice")
    plain = _plain_columns(header, relation)
    rows: list[dict[str, object]] = []
    for fields in lines:
        if len(fields) != len(header):
            if not fields:
                continue
            raise UnreadableBody(reason="All lines must have same number of fields")
        rows.append({name: _value(field, name in plain) for name, field in zip(header, fields, strict=True)})
    return _encoder.encode(rows), tuple(header) if rows else ()


def row_of_form(raw: bytes, relation: Relation | None = None) -> tuple[bytes, tuple[str, ...]]:
    """The one row of a form as a JSON object, and its keys; of repeated keys the last wins. Raises `UnreadableBody`."""
    try:
        fields = dict(parse_qsl(_text(raw), keep_blank_values=True, errors="strict", max_num_fields=10_000))
    except (UnicodeDecodeError, ValueError) as failure:
        raise UnreadableBody(reason="The form cannot be read") from failure
    plain = _plain_columns(list(fields), relation)
    return _encoder.encode({name: _value(field, name in plain) for name, field in fields.items()}), tuple(fields)


def _lines(text: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(StringIO(text, newline=""), strict=True)
    except csv.Error as failure:
        raise UnreadableBody(reason=f"The CSV body cannot be read: {failure}") from failure


def _plain_columns(names: list[str], relation: Relation | None) -> frozenset[str]:
    """The columns whose texts Postgres reads by itself: all that hold no JSON."""
    structured = {c.name for c in relation.columns if c.base_type in _JSON} if relation is not None else set[str]()
    return frozenset(name for name in names if name not in structured)


def _value(field: str, plain: bool) -> object:  # noqa: FBT001 - the second of two words about one field
    if field == _NULL:
        return None
    if plain:
        return field
    try:
        msgspec.json.decode(field)
    except (msgspec.DecodeError, RecursionError):
        return field
    return msgspec.Raw(field.encode())


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        raise UnreadableBody(reason="The body is not UTF-8") from failure
