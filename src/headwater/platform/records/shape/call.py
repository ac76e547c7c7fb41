"""A call taken apart: the arguments in its query, and those in its body."""

from typing import NamedTuple

import msgspec

from headwater.platform.records.errors import UnreadableBody
from headwater.platform.records.parse import is_argument
from headwater.platform.records.shape.body import FORM, JSON
from headwater.platform.records.shape.outline import decoded_pair
from headwater.platform.records.shape.tabular import row_of_form

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
WHOLE = frozenset({"text/plain", "text/xml", "application/octet-stream"})
"""Bodies that are one argument."""


class CallBody(NamedTuple):
    """The body of a call, its media type, and the names of the arguments in it."""

    content: str | bytes
    kind: str
    names: tuple[str, ...]


NO_BODY = CallBody("", "", ())


def split_arguments(query: str) -> tuple[str, dict[str, list[str]]]:
    """The query without its arguments, and the arguments: each name with its values in their order."""
    left: list[str] = []
    arguments: dict[str, list[str]] = {}
    for part in query.split("&") if query else ():
        key, _, value = decoded_pair(part)
        if key and is_argument(key, value):
            arguments.setdefault(key, []).append(value)
        else:
            left.append(part)
    return "&".join(left), arguments


def read_call_body(raw: bytes, kind: str, columns: tuple[str, ...] | None) -> CallBody:
    """The body of a call, whose media type is `kind`; `columns` are the arguments that the query lists, if it does.

    An empty body has no arguments; neither has one of JSON that is no object, but a function may take it whole. Raises
    `UnreadableBody`.
    """
    if kind in WHOLE:
        return CallBody(raw if kind == "application/octet-stream" else _text(raw), kind, ())
    if kind == FORM:
        row, names = row_of_form(raw)
        return CallBody(row.decode(), JSON, names if columns is None else columns)
    if kind != JSON:
        raise UnreadableBody(reason=f"Content-Type not acceptable: {kind}")
    stripped = raw.strip(b" \t\r\n") or b"{}"
    text = _text(stripped)
    if columns is not None:
        return CallBody(text, JSON, columns)
    try:
        if stripped[:1] == b"{":
            return CallBody(text, JSON, tuple(_object.decode(stripped)))
        msgspec.json.decode(stripped)
    except (msgspec.DecodeError, RecursionError) as failure:
        raise UnreadableBody(reason="Empty or invalid json") from failure
    return CallBody(text, JSON, ())


def _text(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError as failure:
        raise UnreadableBody(reason="The body is not UTF-8") from failure
    if "\0" in text:
        raise UnreadableBody(reason="The body holds a NUL, which no text of Postgres can")
    return text
