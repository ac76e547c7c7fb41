"""What comes in and goes out when the admin looks at rows and changes them by hand."""

from typing import Annotated

import msgspec

from headwater.platform.database.models.tables import SchemaName

Values = dict[str, msgspec.Raw]
"""Columns and their values, each as the JSON it came in: no number loses a digit on its way to Postgres."""
RecordList = list[dict[str, object]]


class ListRecords(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which page of a table is wanted: `sort` is `column:asc,column:desc`, `search` looks into all columns."""

    table: str
    schema: SchemaName = "public"
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50
    offset: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    search: str | None = None
    sort: str | None = None
    filter_column: str | None = None
    filter_value: str | None = None


class ChangedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Which row is meant, and what it is to hold."""

    table: str
    key: Annotated[Values, msgspec.Meta(min_length=1)] = msgspec.field(name="pkKeys")
    values: Annotated[Values, msgspec.Meta(min_length=1)] = msgspec.field(name="data")
    schema: SchemaName = "public"


class EndedRecords(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows are to be deleted."""

    table: str
    keys: Annotated[tuple[Annotated[Values, msgspec.Meta(min_length=1)], ...], msgspec.Meta(min_length=1)] = (
        msgspec.field(name="pkKeys")
    )
    schema: SchemaName = "public"


class DeletedRecords(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How many rows were deleted."""

    deleted_count: int


class RecordColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a table or view; `type` is as casts reach it, `category` that of the type under any domain."""

    name: str
    type: str
    category: str
    nullable: bool
    in_key: bool

    @property
    def is_textual(self) -> bool:
        """Whether an empty text is a value of its own here."""
        return self.category == "S"


class RecordTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table or view whose rows are looked at, with its columns by name."""

    schema: str
    name: str
    columns: dict[str, RecordColumn]

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of its primary key; none where it has none."""
        return tuple(column.name for column in self.columns.values() if column.in_key)


class Sorting(msgspec.Struct, frozen=True):
    """One column that rows are sorted by."""

    column: str
    descending: bool


class Question(msgspec.Struct, frozen=True):
    """A statement with its parameters."""

    text: str
    arguments: tuple[object, ...]


class Lookup(msgspec.Struct, frozen=True):
    """Which row is asked for: its schema, and the values it has, each as Postgres' text."""

    schema: str
    values: dict[str, str]


class NewRecords(msgspec.Struct, frozen=True):
    """Rows to be added to a table of a schema."""

    schema: str
    records: tuple[Values, ...]
