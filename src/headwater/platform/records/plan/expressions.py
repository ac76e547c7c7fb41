"""Names resolved against a relation: filters, orders, outputs."""

from headwater.kernel.catalog import Column, Relation
from headwater.platform.records import models
from headwater.platform.records.errors import NotImplementedHere
from headwater.platform.records.models import (
    Comparison,
    Condition,
    Expression,
    Field,
    Filter,
    Junction,
    Logic,
    Ordering,
    OrderTerm,
    Output,
    SelectItem,
    Star,
)
from headwater.platform.records.parse import CONTAINMENTS, PATTERNS, SEARCHES

_TEXTS = frozenset({"text", "character varying", "bpchar", "name", '"char"'})
_JSON = frozenset({"json", "jsonb"})
_MATCHES = frozenset({"match", "imatch"})


class Resolver:
    """Turns what is asked of one relation into what is meant; unknown columns are left for Postgres to refuse."""

    def __init__(self, relation: Relation) -> None:
        self._columns = {column.name: column for column in relation.columns}

    def output(self, item: SelectItem) -> Output:
        """What a member of `select` tells. Raises `NotImplementedHere` for embeds and aggregates."""
        if isinstance(item, Star):
            return Output()
        if isinstance(item, models.Embed):
            raise NotImplementedHere(details="embedding related rows is not implemented yet", hint=item.relation)
        if item.field is None or item.aggregate is not None:
            raise NotImplementedHere(details="aggregate functions are not implemented yet")
        return Output(
            expression=self.expression(item.field), label=item.alias or _last_name(item.field), cast=item.cast
        )

    def ordering(self, term: OrderTerm) -> Ordering:
        """One key of the order. Raises `NotImplementedHere` for one of a related row."""
        if term.relation is not None:
            raise NotImplementedHere(details="ordering by a related row is not implemented yet", hint=term.relation)
        return Ordering(
            expression=self.expression(term.field), descending=term.descending, nulls_first=term.nulls_first
        )

    def filter(self, asked: Condition | Logic) -> Filter:
        """A condition or a tree of them."""
        if isinstance(asked, Logic):
            parts = tuple(map(self.filter, asked.parts))
            return Junction(conjunction=asked.conjunction, parts=parts, negated=asked.negated)
        column = self._columns.get(asked.field.name)
        return Comparison(
            expression=self.expression(asked.field),
            operator=asked.operator,
            operand_type=_operand_type(asked, column),
            negated=asked.negated,
            quantifier=asked.quantifier,
            language=asked.language,
            slot=asked.slot,
            word=asked.word,
            as_vector=asked.operator in SEARCHES and _type_of(asked.field, column) != "tsvector",
        )

    def expression(self, field: Field) -> Expression:
        """A column, or what lies inside it; what is no JSON is made JSON first."""
        column = self._columns.get(field.name)
        wrapped = bool(field.path) and column is not None and column.base_type not in _JSON
        return Expression(column=field.name, path=field.path, wrapped=wrapped)


def _operand_type(condition: Condition, column: Column | None) -> str:
    """The type a value is read as: what Postgres would make of a literal there."""
    kind = _type_of(condition.field, column)
    if condition.operator in SEARCHES:
        return "text"
    if condition.operator in PATTERNS | _MATCHES and (kind in _TEXTS or condition.quantifier):
        return "text"
    if condition.operator in CONTAINMENTS and kind == "json":
        return "jsonb"
    return kind


def _type_of(field: Field, column: Column | None) -> str:
    """The type of a field; `text` where the catalog does not know the column, which Postgres then refuses by name."""
    if field.path:
        if field.path[-1].as_text:
            return "text"
        return "json" if column is not None and column.base_type == "json" else "jsonb"
    return "text" if column is None else column.base_type


def _last_name(field: Field) -> str:
    """The member's name: the column's, or the last key of its path that is no index."""
    return next((step.key for step in reversed(field.path) if not step.index), field.name)
