"""The body of a write: a JSON text, which goes to Postgres as it came if it was one, and which columns it fills."""

from typing import NamedTuple

import msgspec

from headwater.kernel.catalog import Relation
from headwater.platform.records.errors import NestedTooLarge, UnreadableBody
from headwater.platform.records.models import Carried, Embed
from headwater.platform.records.shape.nested import read_levels
from headwater.platform.records.shape.tabular import row_of_form, rows_of_csv

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_encoder = msgspec.json.Encoder()
_EMPTY_TEXT = b'""'
_UNLIKE = "All object keys must match"
_JSON_TYPES = frozenset(
    {"", "application/json", "application/vnd.pgrst.object+json", "application/vnd.pgrst.array+json"}
)
JSON = "application/json"
CSV = "text/csv"
FORM = "application/x-www-form-urlencoded"
MOST_NESTED_BYTES = 16 * 1024 * 1024
"""Of a body whose rows Python puts together anew, between two statements of one transaction."""
OFF_THE_LOOP = 256 * 1024
"""Bytes from which on a body is read on a thread of its own."""


class Body(NamedTuple):
    """A JSON text, whether it is an array of rows, and the keys of every row where they were read.

    Rows that carry rows of other relations stand in `levels` instead.
    """

    text: str
    is_array: bool
    columns: tuple[str, ...]
    levels: tuple[Carried, ...] = ()


NOTHING = Body("[]", is_array=True, columns=())


def kind_of_body(content_type: str) -> str:
    """The media type of a body without its parameters; JSON where none is named."""
    kind = content_type.partition(";")[0].strip().lower()
    return JSON if kind in _JSON_TYPES else kind


def read_body(
    raw: bytes,
    kind: str,
    relation: Relation | None,
    *,
    columns_given: bool,
    lenient: bool = False,
    ragged: bool = False,
) -> Body:
    """The body of a write, whose media type is `kind`.

    Where the query lists the columns, JSON is not parsed here at all. If `lenient`, members whose value is an empty
    text are left out unless their column holds texts (contracts/postgrest.md section 0). Raises `UnreadableBody`
    unless its rows all have the same keys, or may be `ragged`: then its columns are those of any row.
    """
    if kind == CSV:
        rows, columns = rows_of_csv(raw, relation)
        return Body(rows.decode(), is_array=True, columns=columns)
    if kind == FORM:
        row, columns = row_of_form(raw, relation)
        return Body(row.decode(), is_array=False, columns=columns)
    if kind != JSON:
        raise UnreadableBody(reason=f"Content-Type not acceptable: {kind}")
    stripped = raw.strip(b" \t\r\n")
    is_array = stripped[:1] == b"["
    if lenient and relation is not None and _EMPTY_TEXT in stripped:
        stripped = _without_empty_texts(stripped, relation, is_array=is_array)
    text = _text(stripped)
    if columns_given:
        if not stripped:
            raise UnreadableBody(reason="Empty or invalid json")
        return Body(text, is_array, ()) if is_array or stripped[:1] == b"{" else NOTHING
    rows = _rows(stripped, is_array=is_array)
    if not rows:
        return NOTHING
    if ragged:
        return Body(text, is_array, tuple(dict.fromkeys(key for row in rows for key in row)))
    keys = rows[0].keys()
    if any(row.keys() != keys for row in rows):
        raise UnreadableBody(reason=_UNLIKE)
    return Body(text, is_array, tuple(keys))


def read_nested_body(
    raw: bytes, kind: str, relation: Relation | None, nested: tuple[Embed, ...], *, columns_given: bool, lenient: bool
) -> Body:
    """The body of an insert whose rows carry rows under `nested`; those may lack what others have.

    Raises `UnreadableBody`, as `read_body` does, and `NestedTooLarge`.
    """
    if kind != JSON:
        raise UnreadableBody(reason="Rows that carry others (nested) are JSON")
    if len(raw) > MOST_NESTED_BYTES:
        raise NestedTooLarge(limit=MOST_NESTED_BYTES)
    stripped = raw.strip(b" \t\r\n")
    is_array = stripped[:1] == b"["
    if lenient and relation is not None and _EMPTY_TEXT in stripped:
        stripped = _without_empty_texts(stripped, relation, is_array=is_array)
    _text(stripped)
    levels = read_levels(_rows(stripped, is_array=is_array), nested, is_array=is_array)
    if levels[0].ragged and not columns_given:
        raise UnreadableBody(reason=_UNLIKE)
    return Body("", is_array, levels[0].columns, levels)


def _rows(text: bytes, *, is_array: bool) -> list[dict[str, msgspec.Raw]]:
    """The rows of a body; a scalar has none."""
    try:
        if is_array:
            return _array.decode(text)
        if text[:1] == b"{":
            return [_object.decode(text)]
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as failure:
        raise UnreadableBody(reason="Empty or invalid json") from failure
    return []


def _without_empty_texts(text: bytes, relation: Relation, *, is_array: bool) -> bytes:
    textual = {column.name for column in relation.columns if column.is_textual}
    rows = [
        {key: value for key, value in row.items() if bytes(value) != _EMPTY_TEXT or key in textual}
        for row in _rows(text, is_array=is_array)
    ]
    if not rows:
        return text
    return _encoder.encode(rows if is_array else rows[0])


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as failure:
        raise UnreadableBody(reason="Empty or invalid json") from failure
