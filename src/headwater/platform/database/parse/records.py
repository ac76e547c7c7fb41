"""Requests that no struct can state: a repeated pair in a query, a list for a body."""

from urllib.parse import parse_qsl

import msgspec

from headwater.platform.database.errors import InvalidRecords
from headwater.platform.database.models import Lookup, NewRecords, Values

_DEFAULT_SCHEMA = "public"
_decoder = msgspec.json.Decoder(tuple[Values, ...])


def parse_lookup(query: str) -> Lookup:
    """The row that `?column=…&value=…` asks for, repeated for each column of its key; raises `InvalidRecords`."""
    pairs = _pairs(query)
    columns = [value for name, value in pairs if name == "column"]
    values = [value for name, value in pairs if name == "value"]
    if not columns:
        raise InvalidRecords(reason="column: at least one column and its value are needed")
    if len(columns) != len(values):
        raise InvalidRecords(reason="value: there must be as many as columns")
    if len(set(columns)) < len(columns):
        raise InvalidRecords(reason="column: one is named twice")
    return Lookup(_schema_of(pairs), dict(zip(columns, values, strict=True)))


def parse_records(query: str, body: bytes) -> NewRecords:
    """The rows of a body that is a list of objects; raises `InvalidRecords`."""
    try:
        records = _decoder.decode(body)
    except msgspec.ValidationError as failure:
        raise InvalidRecords(reason=f"records: {failure}") from failure
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as failure:
        raise InvalidRecords(reason=f"The body is not JSON: {failure}") from failure
    if not records:
        raise InvalidRecords(reason="records: at least one is needed")
    return NewRecords(_schema_of(_pairs(query)), records)


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as failure:
        raise InvalidRecords(reason="The query is not UTF-8") from failure


def _schema_of(pairs: list[tuple[str, str]]) -> str:
    return next((value for name, value in reversed(pairs) if name == "schema"), _DEFAULT_SCHEMA)
