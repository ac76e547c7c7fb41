"""What the database looks like: relations, keys, functions, as of one reading."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

INTERNAL_SCHEMAS = frozenset(
    {
        "auth",
        "credits",
        "email",
        "functions",
        "information_schema",
        "notifications",
        "realtime",
        "schedules",
        "storage",
        "system",
    }
)
"""Schemas that rows over HTTP never reach, besides everything named `pg_…`."""

RelationKind = Literal["table", "partitioned table", "view", "materialized view", "foreign table"]
Volatility = Literal["immutable", "stable", "volatile"]


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column; types are written so that `::type` means the very type, whatever the search path.

    `type` is the declared type with its modifier, as people read it; `base_type` is the type under any domain, without
    modifier, and `category` is that type's `pg_type.typcategory`. `default` is a SQL expression: a column's default or
    its identity sequence's next value.
    """

    name: str
    type: str
    base_type: str
    category: str
    nullable: bool
    default: str | None = None
    generated: bool = False
    identity: Literal["", "always", "by default"] = ""

    @property
    def is_textual(self) -> bool:
        """Whether an empty text is a value of its own here (text, varchar, char, citext)."""
        return self.category == "S"


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """A table, view, materialised view or foreign table; its columns stand in their order.

    `reaches_partitions` where a statement about it may scan a partitioned table: itself, or through views and policies.
    """

    schema: str
    name: str
    kind: RelationKind
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    unique_keys: tuple[tuple[str, ...], ...] = ()
    insertable: bool = False
    updatable: bool = False
    deletable: bool = False
    reaches_partitions: bool = False


class ForeignKey(msgspec.Struct, frozen=True, kw_only=True):
    """A foreign key from one table to another; the columns of both sides stand in the same order.

    `one_to_one` where the referring columns are themselves a primary or unique key.
    """

    name: str
    schema: str
    relation: str
    columns: tuple[str, ...]
    target_schema: str
    target_relation: str
    target_columns: tuple[str, ...]
    one_to_one: bool


class Argument(msgspec.Struct, frozen=True, kw_only=True):
    """A function's input; the name is empty where it has none."""

    name: str
    type: str
    has_default: bool = False
    variadic: bool = False


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """A function that can be called by name; overloads are several of these.

    `returns` is the result's type, for a table function `record`; `composite` where a row comes back (a named row
    type, or OUT columns), `returns_set` where many may, `returns_void` where nothing does.
    """

    schema: str
    name: str
    arguments: tuple[Argument, ...]
    returns: str
    returns_set: bool
    composite: bool
    returns_void: bool
    volatility: Volatility
    settings: tuple[str, ...] = ()


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of one reading; `version` rises when, and only when, something in it has changed.

    `exposed_schemas` are those whose rows are served over HTTP: `public` first, then the developer's own by name.
    Relations and functions are found by (schema, name).
    """

    version: int
    schemas: tuple[str, ...] = ()
    exposed_schemas: tuple[str, ...] = ()
    relations: Mapping[tuple[str, str], Relation] = MappingProxyType({})
    foreign_keys: tuple[ForeignKey, ...] = ()
    functions: Mapping[tuple[str, str], tuple[Function, ...]] = MappingProxyType({})


EMPTY = Snapshot(version=0)
