"""What comes in and goes out of loads, exports and imports."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

Format = Literal["json", "csv", "sql"]


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A file that came with a request, and the plain fields beside it."""

    filename: str
    content: memoryview
    fields: Mapping[str, str]


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """Rows to be written into a table: how each column is called, in the order of the values in `content`.

    `content` is CSV with a header, or JSON: an array of objects, or one on each line where it is `by_lines`; then
    `types` are the columns' as they are declared.
    """

    schema: str
    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    content: memoryview
    is_csv: bool
    by_lines: bool = False
    types: tuple[str, ...] = ()
    delimiter: str = ","
    blank_is_null: tuple[str, ...] = ()


class LoadedRows(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer to a load: how many rows the file held, and how many were written."""

    success: bool
    message: str
    table: str
    rows_affected: int
    total_records: int
    filename: str


class RunningLoad(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A load at work: first its file is read, then rows are written; counts are of the phase it is in."""

    id: str
    phase: Literal["reading", "writing"]
    rows_done: int
    rows_total: int | None
    bytes_done: int | None


class RunningLoads(msgspec.Struct, frozen=True, kw_only=True):
    """Every load at work."""

    running: tuple[RunningLoad, ...]


class WantedExport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is to be exported: every table of the schema unless some are named."""

    tables: tuple[str, ...] = ()
    format: Format = "sql"
    include_data: bool = True
    include_functions: bool = False
    include_sequences: bool = False
    include_views: bool = False
    row_limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000
    schema: Annotated[str, msgspec.Meta(description="The Postgres schema", extra={"in": "query"})] = "public"


class ColumnFacts(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A column as it was declared; `identity` is `a` or `d`, `generated` is `s` or `v`, both empty for most.

    One that is `inherited` stands in the table only because it stands in one that the table inherits from.
    """

    column_name: str
    data_type: str
    is_nullable: Literal["YES", "NO"]
    column_default: str | None = None
    character_maximum_length: int | None = None
    identity: str = ""
    generated: str = ""
    inherited: bool = False
    comment: str | None = None


class NamedDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """What Postgres says that makes an object of this name; `kind` is a constraint's letter, or empty.

    `arguments` are a function's, by which it is told from others of its name.
    """

    name: str
    definition: str
    kind: str = ""
    comment: str | None = None
    arguments: str = ""


class PolicyFacts(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A policy."""

    policy_name: str
    cmd: str
    roles: tuple[str, ...]
    permissive: bool = True
    qual: str | None = None
    with_check: str | None = None
    comment: str | None = None


class GrantFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What users may do with a table."""

    role: str
    privileges: tuple[str, ...]


class SequenceFacts(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A sequence; `owner` is the table and column it serves, `last_value` null before its first use.

    `next_value` is what it gives out first, where that is not its start.
    """

    name: str
    data_type: str
    start: int
    increment: int
    minimum: int
    maximum: int
    cycles: bool
    cache: int
    last_value: int | None = None
    next_value: int | None = None
    owner: tuple[str, str] | None = None
    is_identity: bool = False


class RangeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a range type is over; names are written as SQL has them, but that of the `multirange` is bare.

    `difference` is a function, which must be there before the type: where it is the schema's own, its definition is
    told too.
    """

    subtype: str
    multirange: str
    operator_class: str | None = None
    collation: str | None = None
    canonical: str | None = None
    difference: str | None = None
    difference_definition: str | None = None


class TypeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """An enumerated type, a range, a domain, or a composite type, whose `attributes` have types for definitions."""

    name: str
    labels: tuple[str, ...] | None = None
    base: str | None = None
    attributes: tuple[NamedDefinition, ...] | None = None
    range: RangeFacts | None = None
    default: str | None = None
    required: bool = False
    checks: tuple[NamedDefinition, ...] = ()
    comment: str | None = None


class TableFacts(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Everything that makes a table what it is, and its rows where they were wanted: JSON, as Postgres writes it.

    One that is `partitioned_by` a key holds no rows itself; a partition is `part_of` such a table, within its `bound`.
    A table that `inherits` from others has their columns, but rows of its own.
    """

    schema: tuple[ColumnFacts, ...]
    indexes: tuple[NamedDefinition, ...] = ()
    foreign_keys: tuple[NamedDefinition, ...] = ()
    constraints: tuple[NamedDefinition, ...] = ()
    rls_enabled: bool = False
    rls_forced: bool = False
    policies: tuple[PolicyFacts, ...] = ()
    triggers: tuple[NamedDefinition, ...] = ()
    grants: tuple[GrantFacts, ...] = ()
    partitioned_by: str | None = None
    part_of: str | None = None
    bound: str | None = None
    inherits: tuple[str, ...] = ()
    comment: str | None = None
    rows: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class SchemaFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A schema, or some of its tables: what an export in JSON holds, and an import reads."""

    timestamp: str
    tables: dict[str, TableFacts]
    types: tuple[TypeFacts, ...] = ()
    functions: tuple[NamedDefinition, ...] = ()
    sequences: tuple[SequenceFacts, ...] = ()
    views: tuple[NamedDefinition, ...] = ()


class Export(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was exported: a text for `sql`, an object for `json`, a text for each table for `csv`.

    `truncated` names the tables of which not every row is there, each with the number it has.
    """

    format: Format
    content: object = msgspec.field(name="data")
    timestamp: str
    truncated: dict[str, int] = {}


class Imported(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer to an import."""

    success: bool
    message: str
    filename: str
    tables: tuple[str, ...]
    rows_imported: int
    file_size: int
