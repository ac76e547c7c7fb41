"""What comes in and goes out when a table is changed: columns, keys, names, comments, row-level security."""

from typing import Literal

import msgspec

from headwater.platform.database.models.tables import ForeignKey, Scalar, SchemaName, WantedColumn

Comment = str | None | msgspec.UnsetType
KeyKind = Literal["unique", "primary"]


class AddedColumn(WantedColumn, frozen=True, kw_only=True, rename="camel"):
    """A column to be added, in either spelling."""

    comment: str | None = None


class ChangedColumn(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is to become of a column; whatever is left out stays.

    `using` is an expression that turns old values into those of the new type (else they are cast). A default of null or
    an empty text is none; `now()` and `gen_random_uuid()` are expressions, every other is a literal.
    """

    column_name: str
    new_column_name: str | None = None
    type: str | None = None
    using: str | None = None
    is_nullable: bool | None = None
    nullable: bool | None = None
    is_unique: bool | None = None
    unique: bool | None = None
    default_value: Scalar | msgspec.UnsetType = msgspec.UNSET
    comment: Comment = msgspec.UNSET


class AddedKey(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A primary or unique key to be added."""

    columns: tuple[str, ...]
    kind: KeyKind = "unique"
    constraint_name: str | None = None


class NewTableName(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How a table is to be called from now on."""

    new_table_name: str


class TableChanges(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is to become of a table: all of it, or nothing.

    Keys and foreign keys to be dropped are named by their constraints; what is added speaks of columns by their new
    names.
    """

    table: str
    schema: SchemaName = "public"
    add_columns: tuple[AddedColumn, ...] = ()
    drop_columns: tuple[str, ...] = ()
    update_columns: tuple[ChangedColumn, ...] = ()
    add_foreign_keys: tuple[ForeignKey, ...] = ()
    drop_foreign_keys: tuple[str, ...] = ()
    add_keys: tuple[AddedKey, ...] = ()
    drop_keys: tuple[str, ...] = ()
    rename_table: NewTableName | None = None
    rls_enabled: bool | None = None
    comment: Comment = msgspec.UNSET


class ColumnState(msgspec.Struct, frozen=True, kw_only=True):
    """A column before it changes; `unique_constraints` are those of this column alone."""

    default: str | None
    unique_constraints: tuple[str, ...]


class TableState(msgspec.Struct, frozen=True, kw_only=True):
    """A table before it changes: its columns by name, its foreign keys' and its keys' constraints."""

    columns: dict[str, ColumnState]
    foreign_keys: frozenset[str]
    keys: frozenset[str]


class Alteration(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a table's change: the statements that make it, what they are about, and how it is told."""

    subject: str
    statements: tuple[str, ...]
    told: str


class AlteredTable(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer to a table's change; `operations` tells every step, in the order they were made."""

    schema_name: str
    message: str
    table_name: str
    operations: tuple[str, ...]
