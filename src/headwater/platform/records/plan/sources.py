"""The tree of sources: a relation's rows and, beside each, the rows of others."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from headwater.kernel.catalog import Column, Relation, Snapshot
from headwater.platform.records import models
from headwater.platform.records.errors import AggregatesOff
from headwater.platform.records.models import (
    Embed,
    Embedded,
    Output,
    Place,
    RecordsSettings,
    Relationship,
    SelectItem,
    Source,
    Star,
)
from headwater.platform.records.parse import misplaced
from headwater.platform.records.plan.embedding import find_relationship
from headwater.platform.records.plan.expressions import Resolver
from headwater.platform.records.plan.measures import order_of
from headwater.platform.records.plan.relationships import Relationships
from headwater.platform.records.plan.scopes import Scope


class Planned(NamedTuple):
    """A source, and what resolves further names against it."""

    source: Source
    resolver: Resolver


class Sources:
    """Plans the sources of one statement, each embed under a number of its own.

    `claims_first` is set once a relation is among them that may lead to partitions.
    """

    def __init__(self, snapshot: Snapshot, relationships: Relationships, settings: RecordsSettings) -> None:
        self.claims_first = False
        self._snapshot = snapshot
        self._relationships = relationships
        self._settings = settings
        self._numbers = 0

    def of_relation(self, relation: Relation, items: Sequence[SelectItem], scope: Scope) -> Planned:
        """The source that tells `items` of the rows of a relation."""
        self.claims_first = self.claims_first or relation.reaches_partitions
        return self.of_rows((relation.schema, relation.name), relation.columns, items, scope)

    def of_rows(
        self,
        place: Place,
        columns: Sequence[Column],
        items: Sequence[SelectItem],
        scope: Scope,
        *,
        spread: bool = False,
    ) -> Planned:
        """The source that tells `items` of rows with these columns, wherever they come from.

        `place` is the relation whose rows they are: its relationships can be embedded, its computed fields told; the
        function's own place where they are of no relation. Raises `NoRelationship`, `AmbiguousRelationship`,
        `NotEmbedded`, `AggregatesOff`, `RelatedOrderImpossible`, `EmbedComparedWithValue`, `NoGroups`,
        `OrderNotTold` and, where groups are to be distinct by a column, `UnreadableQuery`.
        """
        resolver = Resolver(self._relationships, place, columns, aggregates=self._settings.aggregates)
        outputs = self._outputs(place, items, scope, resolver)
        window, distinct = scope.own_window(), scope.own_distinct()
        source = Source(
            schema=place[0],
            relation=place[1],
            columns=tuple(column.name for column in columns),
            outputs=outputs,
            filters=tuple(map(resolver.filter, scope.own_filters())),
            order=tuple(map(resolver.ordering, scope.own_order())),
            limit=window.get("limit"),
            offset=window.get("offset"),
            having=tuple(map(resolver.filter, scope.having)),
            distinct=distinct is not None and not distinct.fields,
            firsts=() if distinct is None else tuple(map(resolver.expression, distinct.fields)),
        )
        compared = source.grouped or source.distinct
        if columns and (spread or compared or resolver.has_representations):
            source = msgspec.structs.replace(source, outputs=_without_stars(outputs, resolver))
        if compared:
            source = _with_comparable_rows(source, resolver)
        source = msgspec.structs.replace(source, order=order_of(source)) if source.order else source
        self.claims_first = self.claims_first or (resolver.computes and self._relationships.partitions_anywhere)
        return Planned(source, resolver)

    def _outputs(
        self, place: Place, items: Sequence[SelectItem], scope: Scope, resolver: Resolver
    ) -> tuple[Output | Embedded, ...]:
        asked = [item for item in items if isinstance(item, Embed)]
        scopes = iter(scope.inside(asked))
        outputs: list[Output | Embedded] = []
        embeds: list[tuple[Embed, Embedded, Resolver]] = []
        for item in items:
            if isinstance(item, Embed):
                embedded, inner = self._embedded(place, item, next(scopes))
                embeds.append((item, embedded, inner))
                outputs.append(embedded)
            else:
                outputs.append(self._output(item, resolver))
        for item, embedded, inner in reversed(embeds):  # an alias goes before a relation's name, the first before all
            resolver.know(item.relation, embedded, inner)
        for _, embedded, inner in reversed(embeds):
            resolver.know(embedded.label, embedded, inner)
        return tuple(outputs)

    def _output(self, item: Star | models.Column, resolver: Resolver) -> Output:
        if isinstance(item, Star):
            return Output()
        if item.aggregate is not None and not self._settings.aggregates:
            raise AggregatesOff
        return resolver.output(item)

    def _embedded(self, origin: Place, item: Embed, scope: Scope) -> tuple[Embedded, Resolver]:
        relationship = find_relationship(self._relationships, origin, item)
        self._numbers += 1
        number = self._numbers
        target = self._snapshot.relations[relationship.target]
        self._note_partitions(relationship, target)
        _must_be_several(scope, item, relationship)
        source, resolver = self.of_rows(relationship.target, target.columns, item.items, scope, spread=item.spread)
        most = self._settings.max_rows if relationship.many else 1
        if target.kind == "table" and relationship.function is None and not relationship.many:
            most = None  # its key allows one row only, and without a limit Postgres may join it as it likes
        embedded = Embedded(
            source=msgspec.structs.replace(source, most=most),
            relationship=relationship,
            label=item.alias or item.relation,
            number=number,
            inner=item.join == "inner",
            spread=item.spread,
            shown=any(output.shown if isinstance(output, Embedded) else True for output in source.outputs),
        )
        return embedded, resolver

    def _note_partitions(self, relationship: Relationship, target: Relation) -> None:
        """Note whether the claims must be there before the statement begins, since it may choose among partitions."""
        through = relationship.through
        junction = None if through is None else self._snapshot.relations.get(through.place)
        self.claims_first = (
            self.claims_first
            or target.reaches_partitions
            or (junction is not None and junction.reaches_partitions)
            or (relationship.function is not None and self._relationships.partitions_anywhere)
        )


def _with_comparable_rows(source: Source, resolver: Resolver) -> Source:
    """The source of groups or of distinct rows, whose members can be compared.

    Raises `UnreadableQuery` where groups are to be distinct by a column, and where nothing is told of the rows.
    """
    if source.grouped and source.firsts:
        raise misplaced("distinct", "(…)", "Groups are distinct already; of groups only distinct=(*) is to be had")
    if source.distinct and not any(one.shown if isinstance(one, Embedded) else True for one in source.outputs):
        raise misplaced("distinct", "(*)", "Nothing is selected that could be alike")
    outputs = tuple(one if isinstance(one, Embedded) else resolver.comparable(one) for one in source.outputs)
    return msgspec.structs.replace(source, outputs=outputs)


def _without_stars(outputs: Iterable[Output | Embedded], resolver: Resolver) -> tuple[Output | Embedded, ...]:
    """The outputs, with every column named where a star stands for all."""
    named: list[Output | Embedded] = []
    for output in outputs:
        if isinstance(output, Output) and output.everything:
            named += resolver.everything()
        else:
            named.append(output)
    return tuple(named)


def _must_be_several(scope: Scope, item: Embed, relationship: Relationship) -> None:
    """Refuse `distinct` of embedded rows that are one, or none of their own, or counted off from an offset."""
    distinct, name = scope.own_distinct(), item.alias or item.relation
    if distinct is None:
        return
    if item.spread or not relationship.many:
        raise misplaced(f"{name}.distinct", "(…)", f"'{name}' is no list of rows that could be distinct")
    if "offset" in scope.own_window():
        raise misplaced(f"{name}.distinct", "(…)", f"It cannot stand beside {name}.offset")
