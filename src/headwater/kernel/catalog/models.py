"""What the database looks like: relations, keys, functions, as of one reading."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

from headwater.kernel.models import CacheKey

CATALOG = CacheKey("catalog")
"""What a transaction forgets that has changed the schemas: before its answer leaves, every node has read them anew."""
CATALOG_TOPIC = "catalog"
"""What nodes ask each other under whose transaction has changed the schemas: everybody knows them before it answers."""
DDL_CHANNEL = "headwater_ddl"
"""Where an event trigger tells of every change of a schema (kernel/database/sql.py makes it)."""
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


class Column(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A column; types are written so that `::type` means the very type, whatever the search path.

    `type` is the declared type with its modifier, as people read it; `base_type` is the type under any domain, without
    modifier, and `category` is that type's `pg_type.typcategory`. `domain` is the domain itself, where the type is one;
    `enum` are the labels of an enumeration (or of what a domain over one, or an array of one, is made of); `max_length`
    the characters a text type holds. `default` is a SQL expression: a column's default or its identity sequence's
    next value.
    """

    name: str
    type: str
    base_type: str
    category: str
    nullable: bool
    default: str | None = None
    generated: bool = False
    identity: Literal["", "always", "by default"] = ""
    domain: str | None = None
    enum: tuple[str, ...] = ()
    comment: str | None = None
    max_length: int | None = None

    @property
    def is_textual(self) -> bool:
        """Whether an empty text is a value of its own here (text, varchar, char, citext)."""
        return self.category == "S"


class Relation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A table, view, materialised view or foreign table; its columns stand in their order.

    `primary_key` of a view are the columns under which it shows whole primary keys of its tables. `reaches_partitions`
    where a statement about it may scan a partitioned table: itself, or through views and policies.
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
    comment: str | None = None


class ForeignKey(msgspec.Struct, frozen=True, kw_only=True, gc=False):
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


class ViewColumn(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A view's column that shows a table's column unchanged, however many views lie between; both in any schema."""

    schema: str
    view: str
    column: str
    base_schema: str
    base_relation: str
    base_column: str


class Argument(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A function's input; the name is empty where it has none."""

    name: str
    type: str
    has_default: bool = False
    variadic: bool = False


class Function(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A function in SQL's sense: no procedure, aggregate or trigger; overloads are several of these.

    `returns` is the result's type, for a table function `record`; `composite` where a row comes back (a named row
    type, or OUT columns), `returns_set` where many may, `returns_void` where nothing does. `columns` are those of the
    row, unless `returns_relation` names the relation (schema, name) whose rows come back. `row_of` is the relation
    whose row is the one argument: a computed field, or a computed relationship. `rows` is the planner's estimate.
    `callable` where a call over HTTP can name its arguments: all have names, or there is one without, which takes the
    whole body.
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
    columns: tuple[Column, ...] = ()
    returns_relation: tuple[str, str] | None = None
    row_of: tuple[str, str] | None = None
    rows: float = 1.0
    callable: bool = True
    comment: str | None = None


class Representation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How values of a domain are told and heard, by the functions of its implicit casts; names are qualified."""

    domain: str
    to_json: str | None = None
    from_json: str | None = None
    from_text: str | None = None


class MediaHandler(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A function or an aggregate whose result type is a domain named like the media type.

    An aggregate takes the rows of `relation` (schema, name), or of any where that is None. `binary` where the domain
    is one over bytea.
    """

    media_type: str
    schema: str
    name: str
    aggregate: bool
    relation: tuple[str, str] | None = None
    binary: bool = False


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of one reading; `version` rises when, and only when, something in it has changed.

    `exposed_schemas` are those whose rows are served over HTTP: `public` first, then the developer's own by name.
    Relations and functions are found by (schema, name), representations by their domain's type, comments by the schema
    they are of. `spoken_settings` has `request` or `response` where the database's own code names a setting of that
    beginning, besides the claims.
    """

    version: int
    schemas: tuple[str, ...] = ()
    exposed_schemas: tuple[str, ...] = ()
    relations: Mapping[tuple[str, str], Relation] = MappingProxyType({})
    foreign_keys: tuple[ForeignKey, ...] = ()
    functions: Mapping[tuple[str, str], tuple[Function, ...]] = MappingProxyType({})
    view_columns: tuple[ViewColumn, ...] = ()
    representations: Mapping[str, Representation] = MappingProxyType({})
    media_handlers: tuple[MediaHandler, ...] = ()
    comments: Mapping[str, str] = MappingProxyType({})
    spoken_settings: frozenset[str] = frozenset()


EMPTY = Snapshot(version=0)
