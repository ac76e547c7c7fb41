"""Names resolved against the columns of a source: filters, orders, outputs."""

from collections.abc import Iterable, Mapping

import msgspec

from headwater.kernel.catalog import Column, Function, Representation
from headwater.platform.records import models
from headwater.platform.records.errors import AggregatesOff, EmbedComparedWithValue, RelatedOrderImpossible
from headwater.platform.records.models import (
    Comparison,
    Condition,
    Counted,
    Embedded,
    Expression,
    Field,
    Filter,
    Junction,
    Logic,
    Measure,
    Measured,
    Ordering,
    OrderTerm,
    Output,
    Place,
    Related,
)
from headwater.platform.records.parse import COMPARISONS, CONTAINMENTS, PATTERNS, SEARCHES
from headwater.platform.records.plan.hints import not_embedded
from headwater.platform.records.plan.measures import type_of_measure
from headwater.platform.records.plan.relationships import Relationships, computed

_TEXTS = frozenset({"text", "character varying", "bpchar", "name", '"char"'})
_JSON = frozenset({"json", "jsonb"})
_MATCHES = frozenset({"match", "imatch"})
_NULLS = {"null": False, "not_null": True}
_HEARD = COMPARISONS | {"in", "isdistinct"}
_PLAIN = Representation(domain="")


class Resolver:
    """Turns what is asked of a source into what is meant; unknown columns are left for Postgres to refuse.

    `place` is the relation whose rows the source gives; functions of such a row are its computed fields. Nothing is
    counted or summed up unless `aggregates` may be asked for.
    """

    def __init__(
        self, relationships: Relationships, place: Place, columns: Iterable[Column], *, aggregates: bool
    ) -> None:
        self._aggregates = aggregates
        self._relationships = relationships
        self._snapshot = relationships.snapshot
        self._place = place
        self._columns = {column.name: column for column in columns}
        self._embeds: dict[str, Embedded] = {}
        self._resolvers: dict[str, Resolver] = {}
        self.computes = False

    def know(self, name: str, embed: Embedded, resolver: "Resolver") -> None:
        """Let filters and orders speak of an embed by that name."""
        self._embeds[name] = embed
        self._resolvers[name] = resolver

    def everything(self) -> tuple[Output, ...]:
        """Every column by its name."""
        return tuple(self._member(Field(name)) for name in self._columns)

    @property
    def has_representations(self) -> bool:
        """Whether `*` does not say it: a column is told otherwise than as it is."""
        told = self._snapshot.representations
        return bool(told) and any(_representation(column, told).to_json for column in self._columns.values())

    def output(self, item: models.Column) -> Output:
        """What a member of `select` tells."""
        if item.field is None:
            return Output(aggregate=item.aggregate, label=item.alias or "count")
        if item.aggregate is not None:
            return Output(
                expression=self.expression(item.field),
                label=item.alias or item.aggregate.function,
                cast=item.cast,
                aggregate=item.aggregate,
            )
        return self._member(item.field, item.alias, item.cast)

    def ordering(self, term: OrderTerm) -> Ordering:
        """One key of the order. Raises `NotEmbedded`, `RelatedOrderImpossible` and `AggregatesOff`."""
        if term.relation is None:
            asked = term.field
            expression = self.measured(asked) if isinstance(asked, Measure) else self.expression(asked)
            return Ordering(expression=expression, descending=term.descending, nulls_first=term.nulls_first)
        embed = self._embeds.get(term.relation)
        if embed is None:
            raise not_embedded(term.relation)
        if embed.many and not isinstance(term.field, Measure):
            ends = f"'{self._place[1]}' and '{term.relation}'"
            raise RelatedOrderImpossible(
                relation=term.relation, details=f"{ends} do not form a many-to-one or one-to-one relationship"
            )
        inner = self._resolvers[term.relation].ordering(msgspec.structs.replace(term, relation=None))
        return msgspec.structs.replace(inner, embed=embed)

    def filter(self, asked: Condition | Logic) -> Filter:
        """A condition or a tree of them. Raises `EmbedComparedWithValue`, `NotEmbedded` and `AggregatesOff`."""
        if isinstance(asked, Logic):
            parts = tuple(map(self.filter, asked.parts))
            return Junction(conjunction=asked.conjunction, parts=parts, negated=asked.negated)
        if isinstance(asked.field, Measure):
            measured = self.measured(asked.field)
            kind = "text" if asked.field.field is None else self._type_of(asked.field.field)
            return _compared(asked, measured, type_of_measure(measured, kind))
        if asked.counted:
            return self._counted(asked, asked.field.name)
        field, column = asked.field, self._columns.get(asked.field.name)
        embed = None if field.path else self._embeds.get(field.name)
        if embed is not None and asked.operator == "is" and asked.word in _NULLS:
            return Related(embed=embed, negated=asked.negated == _NULLS[asked.word])
        if embed is not None and column is None:
            hint = "Only is null or not is null filters are allowed on embedded resources"
            raise EmbedComparedWithValue(relation=field.name, hint=hint)
        if embed is None and column is None and self._is_only_related(field.name):
            raise not_embedded(field.name)
        heard = asked.operator in _HEARD and not field.path
        heard_by = _representation(column, self._snapshot.representations).from_text if heard else None
        return _compared(asked, self.expression(field), self._type_of(field), heard_by)

    def measured(self, asked: Measure) -> Measured:
        """An aggregate of the rows. Raises `AggregatesOff`."""
        self._must_aggregate()
        expression = None if asked.field is None else self.expression(asked.field)
        return Measured(aggregate=asked.aggregate, expression=expression, cast=asked.cast)

    def comparable(self, output: Output) -> Output:
        """The output as two can be compared: JSON of the type that has an equality."""
        told = output.expression
        if told is None or output.aggregate is not None or output.cast is not None or output.told_by is not None:
            return output
        is_json = self._type_of(Field(told.column, told.path)) == "json"
        return msgspec.structs.replace(output, cast="jsonb") if is_json else output

    def expression(self, field: Field) -> Expression:
        """A column, a computed field, or what lies inside it; what is no JSON is made JSON first."""
        column = self._columns.get(field.name)
        if column is not None:
            return Expression(column=field.name, path=field.path, wrapped=_is_wrapped(field, column.base_type))
        function = self._computed(field.name)
        if function is None:
            return Expression(column=field.name, path=field.path)
        self.computes = True
        return Expression(
            column=field.name,
            path=field.path,
            wrapped=_is_wrapped(field, function.returns),
            computed=(function.schema, function.name),
        )

    def _member(self, field: Field, alias: str | None = None, cast: str | None = None) -> Output:
        plain = not field.path and cast is None
        told = _representation(self._columns.get(field.name) if plain else None, self._snapshot.representations)
        return Output(
            expression=self.expression(field), label=alias or _last_name(field), cast=cast, told_by=told.to_json
        )

    def _counted(self, asked: Condition, name: str) -> Counted:
        self._must_aggregate()
        embed = self._embeds.get(name)
        if embed is None or asked.slot is None:
            raise not_embedded(name)
        return Counted(embed=embed, operator=asked.operator, slot=asked.slot, negated=asked.negated)

    def _must_aggregate(self) -> None:
        if not self._aggregates:
            raise AggregatesOff

    def _is_only_related(self, name: str) -> bool:
        """Whether a name that is no column's could have been embedded."""
        if self._computed(name) is not None:
            return False
        related = any(one.target == (self._place[0], name) for one in self._relationships.of(self._place))
        return related or self._relationships.computed(self._place, name) is not None

    def _computed(self, name: str) -> Function | None:
        found = computed(self._snapshot, self._place, name)
        return None if found is None or found.returns_set else found

    def _type_of(self, field: Field) -> str:
        """The type of a field; `text` where the catalog does not know the column, which Postgres refuses by name."""
        column = self._columns.get(field.name)
        function = self._computed(field.name) if column is None else None
        kind = column.base_type if column is not None else "text" if function is None else function.returns
        if not field.path:
            return kind
        return "text" if field.path[-1].as_text else "json" if kind == "json" else "jsonb"


def _compared(
    asked: Condition, expression: Expression | Measured, kind: str, heard_by: str | None = None
) -> Comparison:
    """The condition, said of an expression of this kind."""
    return Comparison(
        expression=expression,
        operator=asked.operator,
        operand_type=_operand_type(asked, kind),
        negated=asked.negated,
        quantifier=asked.quantifier,
        language=asked.language,
        slot=asked.slot,
        word=asked.word,
        as_vector=asked.operator in SEARCHES and kind != "tsvector",
        heard_by=heard_by,
    )


def _representation(column: Column | None, known: Mapping[str, Representation]) -> Representation:
    return _PLAIN if column is None or column.domain is None else known.get(column.domain, _PLAIN)


def _is_wrapped(field: Field, kind: str) -> bool:
    return bool(field.path) and kind not in _JSON


def _operand_type(condition: Condition, kind: str) -> str:
    """The type a value is read as: what Postgres would make of a literal beside a field of this kind."""
    if condition.operator in SEARCHES:
        return "text"
    if condition.operator in PATTERNS | _MATCHES and (kind in _TEXTS or condition.quantifier):
        return "text"
    if condition.operator in CONTAINMENTS and kind == "json":
        return "jsonb"
    return kind


def _last_name(field: Field) -> str:
    """The member's name: the column's, or the last key of its path that is no index."""
    return next((step.key for step in reversed(field.path) if not step.index), field.name)
