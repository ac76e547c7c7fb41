"""Which files may be loaded into which tables, and what is told of a row that does not fit."""

import re
from collections.abc import Mapping, Sequence

from headwater.kernel.errors import Refusal
from headwater.platform.database.errors import InvalidUpload, RowExists, RowRefused
from headwater.platform.database.models import Upload

_TEXTS = frozenset({"text", "character varying", "character", "citext", "name"})
_PLACE = re.compile(r"^COPY [^\n]*, line (\d+)(?:, column ([^:\n]+))?", re.MULTILINE)
_LOAD_ID = re.compile(r"[A-Za-z0-9-]{1,36}")
_DELIMITERS = frozenset({",", ";", "\t", "|"})
_KINDS = {"csv": "csv", "json": "json", "ndjson": "lines", "jsonl": "lines"}
_TWIN = "23505"


def kind_of(upload: Upload) -> str:
    """How a file is to be read, by its name: `csv`, `json` or `lines`. Raises `InvalidUpload`."""
    kind = _KINDS.get(upload.filename.rpartition(".")[2].lower())
    if kind is None:
        raise InvalidUpload(reason=f"{upload.filename or 'the file'} must end in .csv, .json or .ndjson")
    return kind


def wanted(upload: Upload, field: str) -> str:
    """A field that must be there; raises `InvalidUpload`."""
    text = upload.fields.get(field, "").strip()
    if not text:
        raise InvalidUpload(reason=f"the field {field!r} is missing")
    return text


def upsert_key(upload: Upload) -> tuple[str, ...]:
    """The columns that tell which row is meant, from `upsertKey`, separated by commas."""
    return tuple(part.strip() for part in upload.fields.get("upsertKey", "").split(",") if part.strip())


def delimiter(upload: Upload) -> str:
    """What stands between the values of a CSV; raises `InvalidUpload`."""
    given = upload.fields.get("delimiter", ",")
    if given not in _DELIMITERS:
        raise InvalidUpload(reason="delimiter: must be a comma, a semicolon, a tab or a bar")
    return given


def load_id(upload: Upload, otherwise: str) -> str:
    """The name under which a load's progress is told; raises `InvalidUpload`."""
    given = upload.fields.get("id", otherwise)
    if not _LOAD_ID.fullmatch(given):
        raise InvalidUpload(reason="id: must be 1 to 36 letters, digits and dashes")
    return given


def must_fit(columns: Sequence[str], key: Sequence[str], types: Mapping[str, str], table: str) -> None:
    """Every column of a file is one of the table's, once, and the key is among them. Raises `InvalidUpload`."""
    for column in columns:
        if column not in types:
            raise InvalidUpload(reason=f"the file's column {column!r} is no column of {table}")
    if len(set(columns)) < len(columns):
        raise InvalidUpload(reason="the file has a column twice")
    for column in key:
        if column not in columns:
            raise InvalidUpload(reason=f"upsertKey: {column!r} is no column of the file")


def blank_is_null(columns: Sequence[str], types: Mapping[str, str]) -> tuple[str, ...]:
    """The columns in which an empty text means no value: all but those of texts."""
    return tuple(column for column in columns if types[column] not in _TEXTS)


def place_in_file(context: str | None) -> tuple[int | None, str | None]:
    """Line and column of which COPY complained."""
    place = _PLACE.search(context or "")
    return (int(place[1]), place[2]) if place else (None, None)


def refused_row(where: str, columns: Sequence[str], reason: str, sqlstate: str) -> Refusal:
    """The refusal of a file because of one row; `where` is `line 3` or `row 3`."""
    place = f"{where}, column {', '.join(columns)}" if columns else where
    kind = RowExists if sqlstate == _TWIN else RowRefused
    return kind(place=place, reason=reason, sqlstate=sqlstate)
