"""What a request asks for, as its grammar says it; no value a filter compares with is in here, only its slot."""

from typing import Literal

import msgspec

from headwater.platform.records.models.preferences import MediaType, Preferences

ResourcePath = tuple[str, ...]
"""The names of embedded relations from the outside in; empty at the top."""


class PathStep(msgspec.Struct, frozen=True):
    """One arrow into a JSON value: `->` or, with `as_text`, `->>`; `key` is an array index where `index` is set."""

    key: str
    as_text: bool = False
    index: bool = False


class Field(msgspec.Struct, frozen=True):
    """A column, or what lies inside its JSON."""

    name: str
    path: tuple[PathStep, ...] = ()


class Aggregate(msgspec.Struct, frozen=True):
    """`.sum()` and its like, and the cast of their result."""

    function: Literal["avg", "count", "max", "min", "sum"]
    cast: str | None = None


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """What orders groups or chooses among them: `column::cast.sum()::cast`; without a field, `count()`."""

    aggregate: Aggregate
    field: Field | None = None
    cast: str | None = None


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """`field=not.operator(quantifier or language).value`.

    `slot` is the value's place among the request's values; `word` is what `is` compares with. With `counted` it is
    `relation=count.operator.value`, and the field names an embed.
    """

    field: Field | Measure
    operator: str
    negated: bool = False
    quantifier: Literal["any", "all"] | None = None
    language: str | None = None
    slot: int | None = None
    word: str | None = None
    counted: bool = False


class Logic(msgspec.Struct, frozen=True, kw_only=True):
    """`not.and(…)` or `or(…)` of conditions and further logic."""

    conjunction: Literal["and", "or"]
    parts: tuple["Condition | Logic", ...]
    negated: bool = False


class Scoped(msgspec.Struct, frozen=True):
    """A filter of the relation that `path` leads to."""

    path: ResourcePath
    filter: Condition | Logic


class Star(msgspec.Struct, frozen=True):
    """Every column."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """`alias:field::cast.aggregate()::cast`; without a field only `count()` can stand."""

    field: Field | None
    alias: str | None = None
    cast: str | None = None
    aggregate: Aggregate | None = None


class Embed(msgspec.Struct, frozen=True, kw_only=True):
    """`alias:relation!hint!join(items)`, or with three dots before it, to lift its columns into the parent."""

    relation: str
    items: tuple["Star | Column | Embed", ...]
    alias: str | None = None
    hint: str | None = None
    join: Literal["inner", "left"] | None = None
    spread: bool = False


SelectItem = Star | Column | Embed


class OrderTerm(msgspec.Struct, frozen=True, kw_only=True):
    """`relation(field).desc.nullslast`, where a measure may stand for the field; None where nothing was said."""

    field: Field | Measure
    relation: str | None = None
    descending: bool | None = None
    nulls_first: bool | None = None


class Ordered(msgspec.Struct, frozen=True):
    """The order of the relation that `path` leads to."""

    path: ResourcePath
    terms: tuple[OrderTerm, ...]


class Distinct(msgspec.Struct, frozen=True):
    """Of the rows of the relation that `path` leads to, the first with each value of `fields`.

    Without fields, each that is told alike only once.
    """

    path: ResourcePath
    fields: tuple[Field, ...] = ()


class Windowed(msgspec.Struct, frozen=True):
    """The limit or the offset of the relation that `path` leads to; its value waits in `slot`."""

    path: ResourcePath
    bound: Literal["limit", "offset"]
    slot: int


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A whole request about a relation.

    `columns` is the query's list, `body_columns` the keys of the body where no list was given; `by` is the key by which
    each row of a PATCH finds the row it changes. `limited` and `shifted` say that a limit or an offset binds at the
    top; `windows` are those inside embeds; `profiled` that the client named the schema itself. `having` chooses among
    groups; `nested` are the relations whose rows the rows of the body carry, embeds that have only embeds as items, and
    `levels` the shapes of those rows, the body's own first.
    """

    method: Literal["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]
    schema: str
    relation: str
    select: tuple[SelectItem, ...]
    filters: tuple[Scoped, ...]
    orders: tuple[Ordered, ...]
    preferences: Preferences
    media: MediaType
    windows: tuple[Windowed, ...] = ()
    distincts: tuple[Distinct, ...] = ()
    having: tuple[Logic, ...] = ()
    nested: tuple[Embed, ...] = ()
    levels: tuple[tuple[tuple[str, ...], bool], ...] = ()
    columns: tuple[str, ...] | None = None
    body_columns: tuple[str, ...] = ()
    body_is_array: bool = False
    on_conflict: tuple[str, ...] | None = None
    by: tuple[str, ...] | None = None
    limited: bool = False
    shifted: bool = False
    profiled: bool = False
