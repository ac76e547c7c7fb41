"""Which relations belong together, and by what: keys, junctions, functions of a row; through views too."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Literal

from headwater.kernel.catalog import ForeignKey, Function, Snapshot
from headwater.platform.records.models import Place, Relationship, Through

Names = tuple[str, ...]
_Shown = dict[str, list[str]]
"""A table's columns, and under which names a view shows each."""


class Relationships:
    """The relationships of one snapshot; a relation's own are derived when they are first asked for, and kept."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.partitions_anywhere = any(relation.reaches_partitions for relation in snapshot.relations.values())
        self._exposed = frozenset(snapshot.exposed_schemas)
        self._outgoing: dict[Place, list[ForeignKey]] = {}
        self._incoming: dict[Place, list[ForeignKey]] = {}
        for key in snapshot.foreign_keys:
            self._outgoing.setdefault((key.schema, key.relation), []).append(key)
            self._incoming.setdefault((key.target_schema, key.target_relation), []).append(key)
        self._views: dict[Place, dict[Place, _Shown]] = {}
        self._tables: dict[Place, dict[Place, _Shown]] = {}
        for shown in snapshot.view_columns:
            view, table = (shown.schema, shown.view), (shown.base_schema, shown.base_relation)
            columns = self._views.setdefault(table, {}).setdefault(view, {})
            columns.setdefault(shown.base_column, []).append(shown.column)
            self._tables.setdefault(view, {})[table] = columns
        self._direct: dict[Place, tuple[Relationship, ...]] = {}
        self._all: dict[Place, tuple[Relationship, ...]] = {}

    def of(self, origin: Place) -> tuple[Relationship, ...]:
        """Every relationship that the keys of the database give a relation; their targets lie in exposed schemas."""
        found = self._all.get(origin)
        if found is None:
            direct = self._of_keys(origin)
            found = self._all[origin] = (*direct, *self._through_junctions(direct))
        return found

    def computed(self, origin: Place, name: str) -> Relationship | None:
        """The relationship that a function of the origin's row makes: with one row at most, to one."""
        function = computed(self.snapshot, origin, name)
        if function is None or function.returns_relation is None:
            return None
        if function.returns_relation not in self.snapshot.relations or not self._serves(function.returns_relation):
            return None
        one = not function.returns_set or function.rows == 1
        return Relationship(
            origin=origin,
            target=function.returns_relation,
            cardinality="many-to-one" if one else "one-to-many",
            function=(function.schema, function.name),
        )

    def _of_keys(self, origin: Place) -> tuple[Relationship, ...]:
        found = self._direct.get(origin)
        if found is None:
            found = self._direct[origin] = tuple(self._derive(origin))
        return found

    def _derive(self, origin: Place) -> Iterator[Relationship]:
        """Foreign keys both ways, of the origin itself or of the tables whose columns it shows."""
        tables: dict[Place, _Shown | None] = {origin: None, **self._tables.get(origin, {})}
        for table, shown in tables.items():
            for key in self._outgoing.get(table, ()):
                target = (key.target_schema, key.target_relation)
                cardinality = "one-to-one" if key.one_to_one else "many-to-one"
                for own in _names_in(shown, key.columns):
                    for place, theirs in self._places_showing(target, key.target_columns):
                        yield _direct(origin, place, key, cardinality, own, theirs, outgoing=True)
            for key in self._incoming.get(table, ()):
                child = (key.schema, key.relation)
                cardinality = "one-to-one" if key.one_to_one else "one-to-many"
                for own in _names_in(shown, key.target_columns):
                    for place, theirs in self._places_showing(child, key.columns):
                        yield _direct(origin, place, key, cardinality, own, theirs, outgoing=False)

    def _through_junctions(self, direct: Iterable[Relationship]) -> Iterator[Relationship]:
        """Pairs of keys that lie inside a junction's primary key."""
        for near in direct:
            junction = self.snapshot.relations.get(near.target)
            if near.cardinality != "one-to-many" or junction is None or not junction.primary_key:
                continue
            key = frozenset(junction.primary_key)
            for far in self._of_keys(near.target):
                if far.cardinality != "many-to-one" or far.constraint == near.constraint:
                    continue
                if all(column in key for _, column in near.pairs) and all(column in key for column, _ in far.pairs):
                    yield _through(near, far)

    def _places_showing(self, table: Place, columns: Names) -> Iterator[tuple[Place, Names]]:
        """The table itself and its views that show the columns, and their names there."""
        if self._serves(table):
            yield table, columns
        for view, shown in self._views.get(table, {}).items():
            if self._serves(view):
                for names in _names_in(shown, columns):
                    yield view, names

    def _serves(self, place: Place) -> bool:
        return place[0] in self._exposed


class KnownRelationships:
    """The relationships of the snapshot that was asked about last."""

    def __init__(self) -> None:
        self._last: Relationships | None = None

    def of(self, snapshot: Snapshot) -> Relationships:
        """The relationships of a snapshot."""
        if self._last is None or self._last.snapshot is not snapshot:
            self._last = Relationships(snapshot)
        return self._last


def computed(snapshot: Snapshot, origin: Place, name: str) -> Function | None:
    """The function of that name whose one argument is a row of the origin; beside the relation, or in `public`."""
    for schema in (origin[0], "public"):
        for function in snapshot.functions.get((schema, name), ()):
            if function.row_of == origin:
                return function
    return None


def _names_in(shown: Mapping[str, list[str]] | None, columns: Names) -> Iterator[Names]:
    """Under which names a view shows the columns, if it shows them all; the same name is preferred to others."""
    if shown is None:
        yield columns
    elif all(column in shown for column in columns):
        yield from product(*([column] if column in shown[column] else shown[column] for column in columns))


def _direct(
    origin: Place,
    target: Place,
    key: ForeignKey,
    cardinality: Literal["one-to-one", "one-to-many", "many-to-one"],
    own: Names,
    theirs: Names,
    *,
    outgoing: bool,
) -> Relationship:
    return Relationship(
        origin=origin,
        target=target,
        cardinality=cardinality,
        constraint=key.name,
        pairs=tuple(zip(own, theirs, strict=True)),
        outgoing=outgoing,
    )


def _through(near: Relationship, far: Relationship) -> Relationship:
    return Relationship(
        origin=near.origin,
        target=far.target,
        cardinality="many-to-many",
        through=Through(
            place=near.target,
            near=near.pairs,
            far=far.pairs,
            near_constraint=near.constraint,
            far_constraint=far.constraint,
        ),
    )
