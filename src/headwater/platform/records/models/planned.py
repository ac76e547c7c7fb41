"""What a request means in this database: every name resolved, every type known, every value a slot."""

from typing import Literal

import msgspec

from headwater.platform.records.models.asked import PathStep
from headwater.platform.records.models.preferences import MediaType, Preferences


class Expression(msgspec.Struct, frozen=True, kw_only=True):
    """A column of the source, or what lies inside it; `wrapped` where `to_jsonb` must come first."""

    column: str
    path: tuple[PathStep, ...] = ()
    wrapped: bool = False


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """An expression, an operator and a value of `operand_type`; `as_vector` where a text is to be searched as one."""

    expression: Expression
    operator: str
    operand_type: str
    negated: bool = False
    quantifier: Literal["any", "all"] | None = None
    language: str | None = None
    slot: int | None = None
    word: str | None = None
    as_vector: bool = False


class Junction(msgspec.Struct, frozen=True, kw_only=True):
    """Filters joined by `and` or `or`."""

    conjunction: Literal["and", "or"]
    parts: tuple["Comparison | Junction", ...]
    negated: bool = False


Filter = Comparison | Junction


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """A member of the answer's rows; without an expression, every column."""

    expression: Expression | None = None
    label: str | None = None
    cast: str | None = None


class Ordering(msgspec.Struct, frozen=True, kw_only=True):
    """One key of the order."""

    expression: Expression
    descending: bool | None = None
    nulls_first: bool | None = None


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A relation with all its columns' names, which of its rows, in what order, and what of them is told."""

    schema: str
    relation: str
    columns: tuple[str, ...]
    outputs: tuple[Output, ...]
    filters: tuple[Filter, ...]
    order: tuple[Ordering, ...]
    limited: bool = False
    shifted: bool = False


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A column that the body fills; `default` is the SQL expression that stands in where a row has no such key."""

    name: str
    type: str
    default: str | None = None


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to a row whose `target` columns are taken: it is merged into the other, or left out."""

    target: tuple[str, ...]
    merge: bool


class Writing(msgspec.Struct, frozen=True, kw_only=True):
    """A change of rows.

    `fill_missing` where absent keys take their defaults; `counts_inserted` where new rows are told from merged ones;
    `located_by` is the key that tells the client the place of a new row; `replaces` where the filters name the row.
    """

    kind: Literal["insert", "update", "delete"]
    columns: tuple[Written, ...] = ()
    from_array: bool = False
    fill_missing: bool = False
    conflict: Conflict | None = None
    counts_inserted: bool = False
    located_by: tuple[str, ...] = ()
    replaces: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the SQL and the answer of a request shape need.

    `most_affected` is how many rows the statement may change before it fails by itself; `wants_total` asks for the
    count without limits; `profile` is the schema's name where it is to be told back. `claims_first` where the claims
    must be set before the statement begins: Postgres chooses among partitions by them before it runs anything.
    """

    source: Source
    media: MediaType
    preferences: Preferences
    writing: Writing | None = None
    wants_rows: bool = True
    wants_total: bool = False
    most_affected: int | None = None
    profile: str | None = None
    claims_first: bool = False
