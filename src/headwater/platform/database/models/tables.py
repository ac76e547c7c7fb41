"""What comes in and goes out: tables, columns, foreign keys, SQL and its results."""

from typing import Annotated, Literal

import msgspec

Action = Literal["CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT", "NO ACTION"]
Scalar = str | int | float | bool | None
SchemaName = Annotated[str, msgspec.Meta(description="The Postgres schema", extra={"in": "query"})]


class ListTables(msgspec.Struct, frozen=True, kw_only=True):
    """Which schema's tables are wanted."""

    schema: SchemaName = "public"


class NamedTable(msgspec.Struct, frozen=True, kw_only=True):
    """Which table is meant."""

    table: str
    schema: SchemaName = "public"


class ColumnReference(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One pair of columns of a foreign key."""

    source_column: str
    reference_column: str


class ForeignKey(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A foreign key; `reference_table` is `table` or `schema.table`."""

    reference_table: str
    reference_columns: tuple[ColumnReference, ...]
    constraint_name: str | None = None
    on_delete: Action = "NO ACTION"
    on_update: Action = "NO ACTION"


class WantedColumn(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A column of a table to be made, in either spelling: `columnName` or `name`, `isNullable` or `nullable`."""

    type: str
    column_name: str | None = None
    name: str | None = None
    is_nullable: bool | None = None
    nullable: bool | None = None
    is_unique: bool | None = None
    unique: bool | None = None
    default_value: Scalar = None
    default: Scalar = None


class WantedTable(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A table to be made, in either spelling: `tableName` or `name`, `rlsEnabled` or `useRLS`."""

    columns: tuple[WantedColumn, ...]
    table_name: str | None = None
    name: str | None = None
    rls_enabled: bool | None = None
    use_rls: bool | None = msgspec.field(name="useRLS", default=None)
    foreign_keys: tuple[ForeignKey, ...] = ()
    schema: SchemaName = "public"


class NewColumn(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A column that is made; `default_value` is an expression if it is one of ours, else a literal."""

    column_name: str
    type: str
    sql_type: str
    is_nullable: bool
    is_unique: bool
    default_value: str | None = None


class NewTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table that can be made: every rule has been passed."""

    schema: str
    name: str
    columns: tuple[NewColumn, ...]
    foreign_keys: tuple[ForeignKey, ...]
    row_security: bool


class CreatedTable(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer to a table's making."""

    schema_name: str
    message: str
    table_name: str
    columns: tuple[NewColumn, ...]
    auto_fields: tuple[str, ...]
    next_actions: str


class DroppedTable(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer to a table's end."""

    schema_name: str
    message: str
    table_name: str
    next_actions: str


class DescribedColumn(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A column as it is; a type that is none of ours is told by Postgres' name for it."""

    column_name: str
    type: str
    is_nullable: bool
    is_primary_key: bool
    is_unique: bool
    default_value: str | msgspec.UnsetType = msgspec.UNSET
    comment: str | msgspec.UnsetType = msgspec.UNSET


class DescribedTable(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A table as it is; `record_count` is exact."""

    schema_name: str
    table_name: str
    columns: tuple[DescribedColumn, ...]
    foreign_keys: tuple[ForeignKey, ...]
    record_count: int
    rls_enabled: bool
    comment: str | msgspec.UnsetType = msgspec.UNSET


class Sql(msgspec.Struct, frozen=True, kw_only=True):
    """SQL to be run; `params` stand for `$1`, `$2` and so on."""

    query: str
    params: tuple[object, ...] = ()
    explain: bool = False


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One statement of a SQL text, as Postgres' parser sees it.

    `start` is how many characters stand before it in that text. `forbidden` names what it would do that nobody may do
    here; `changes_schema` where it is more than rows.
    """

    text: str
    start: int
    is_select: bool
    changes_schema: bool
    forbidden: str | None = None


class ResultField(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a result; the type is named by its OID."""

    name: str
    data_type_id: int = msgspec.field(name="dataTypeID")


class StatementResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What one statement gave; `row_count` is null where a statement counts nothing."""

    rows: list[dict[str, object]]
    row_count: int | None
    fields: tuple[ResultField, ...]


class SqlResult(StatementResult, frozen=True, kw_only=True, rename="camel"):
    """The last statement's result; `results` holds every statement's, where there were several."""

    results: tuple[StatementResult, ...] | msgspec.UnsetType = msgspec.UNSET
