"""What a request means in this database: every name resolved, every type known, every value a slot."""

from typing import Literal

import msgspec

from headwater.platform.records.models.asked import Aggregate, PathStep
from headwater.platform.records.models.call import Call
from headwater.platform.records.models.nested import Nested
from headwater.platform.records.models.preferences import MediaType, Preferences
from headwater.platform.records.models.relationship import Place, Relationship
from headwater.platform.records.models.writing import Writing


class Expression(msgspec.Struct, frozen=True, kw_only=True):
    """A column of the source, or what lies inside it; `wrapped` where `to_jsonb` must come first.

    `computed` is the function of the whole row that stands in a column's place.
    """

    column: str
    path: tuple[PathStep, ...] = ()
    wrapped: bool = False
    computed: Place | None = None


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """An aggregate of an expression, which may be cast before; without one, of the rows themselves."""

    aggregate: Aggregate
    expression: Expression | None = None
    cast: str | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """An expression, an operator and a value of `operand_type`; `as_vector` where a text is to be searched as one.

    `heard_by` is the function, ready for SQL, that reads the value's text where the column's domain has its own form.
    """

    expression: Expression | Measured
    operator: str
    operand_type: str
    negated: bool = False
    quantifier: Literal["any", "all"] | None = None
    language: str | None = None
    slot: int | None = None
    word: str | None = None
    as_vector: bool = False
    heard_by: str | None = None


class Junction(msgspec.Struct, frozen=True, kw_only=True):
    """Filters joined by `and` or `or`."""

    conjunction: Literal["and", "or"]
    parts: tuple["Comparison | Junction | Related | Counted", ...]
    negated: bool = False


class Related(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a row has related ones, of those that the embed's own filters let through."""

    embed: "Embedded"
    negated: bool = False


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison of how many related rows a row has, of those that the embed's own filters let through."""

    embed: "Embedded"
    operator: str
    slot: int
    negated: bool = False


Filter = Comparison | Junction | Related | Counted


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """A member of the answer's rows; without an expression, every column, or with an aggregate, every row.

    `told_by` is the function, ready for SQL, that gives the column's domain its own form.
    """

    expression: Expression | None = None
    label: str | None = None
    cast: str | None = None
    aggregate: Aggregate | None = None
    told_by: str | None = None

    @property
    def everything(self) -> bool:
        """Whether this stands for every column."""
        return self.expression is None and self.aggregate is None


class Ordering(msgspec.Struct, frozen=True, kw_only=True):
    """One key of the order; with `embed`, of the one row that is embedded there, or of all of them a measure.

    `told` is the member that it is, where rows have nothing but what is told of them.
    """

    expression: Expression | Measured
    descending: bool | None = None
    nulls_first: bool | None = None
    embed: "Embedded | None" = None
    told: "Output | None" = None


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A relation with all its columns' names, which of its rows, in what order, and what of them is told.

    With `call` the rows come from that function instead. `schema` and `relation` are then those of the rows, or the
    function's own where its rows are of no relation; all else holds alike, since everything but the FROM clause is
    written from here. `limited` and `shifted` say that the window of the whole answer binds here; an embed has its
    limit and offset in the slots `limit` and `offset`, and `most` caps it whatever is asked. `having` chooses among the
    groups; with `distinct` what is told alike is told once; of the rows that agree in all `firsts`, only the first is
    there.
    """

    schema: str
    relation: str
    columns: tuple[str, ...]
    outputs: "tuple[Output | Embedded, ...]"
    filters: tuple[Filter, ...]
    order: tuple[Ordering, ...]
    limited: bool = False
    shifted: bool = False
    limit: int | None = None
    offset: int | None = None
    most: int | None = None
    call: Call | None = None
    having: tuple[Filter, ...] = ()
    distinct: bool = False
    firsts: tuple[Expression, ...] = ()

    @property
    def embeds(self) -> "tuple[Embedded, ...]":
        """The outputs that are of other relations."""
        return tuple(output for output in self.outputs if isinstance(output, Embedded))

    @property
    def grouped(self) -> bool:
        """Whether aggregates make groups of the rows: its own, or those lifted from the one row of a spread."""
        return bool(self.having) or any(
            output.spread and not output.many and output.source.grouped
            if isinstance(output, Embedded)
            else output.aggregate is not None
            for output in self.outputs
        )


class Embedded(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of another relation beside each row: an object or null, with `many` an array.

    `number` names the rows within the statement. With `inner` only rows that have such others are told. With `spread`
    the others' members become the row's own, as arrays where there are many. What is not `shown` only filters.
    """

    source: Source
    relationship: Relationship
    label: str
    number: int
    inner: bool = False
    spread: bool = False
    shown: bool = True

    @property
    def many(self) -> bool:
        """Whether a row has an array of these."""
        return self.relationship.many


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the SQL and the answer of a request shape need.

    `most_affected` is how many rows the statement may change before it fails by itself; `wants_total` asks for the
    count without limits; `profile` is the schema's name where it is to be told back. `claims_first` where the claims
    must be set before the statement begins: Postgres chooses among partitions by them before it runs anything. The rows
    of a `nested` insert are added first; the statement tells of those that the body itself has.
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
    nested: Nested | None = None
