"""A snapshot made of a reading: names instead of Postgres' numbers."""

from types import MappingProxyType

import msgspec

from headwater.kernel.catalog.models import Function, Relation, Snapshot, ViewColumn
from headwater.kernel.catalog.reading import Origin, Reading, in_slices

Place = tuple[str, str]
_DEEPEST = 64
"""Views one above the other that a column is followed through."""


async def assemble(version: int, reading: Reading, internal_schemas: frozenset[str]) -> Snapshot:
    """The snapshot of a reading, made in slices, so that no request waits for it."""
    by_name: dict[Place, tuple[Function, ...]] = {}
    for function in reading.functions:
        place = (function.schema, function.name)
        by_name[place] = (*by_name.get(place, ()), function)
    view_columns = await _view_columns(reading)
    schemas = tuple(name for name, _ in reading.schemas)
    return Snapshot(
        version=version,
        schemas=schemas,
        exposed_schemas=tuple(name for name in schemas if name not in internal_schemas),
        relations=MappingProxyType(await _relations(reading, view_columns)),
        foreign_keys=tuple(
            sorted(
                (known.key for known in reading.foreign_keys.values()),
                key=lambda key: (key.schema, key.relation, key.name),
            )
        ),
        functions=MappingProxyType(by_name),
        view_columns=tuple(view_columns),
        representations=MappingProxyType({each.domain: each for each in reading.representations}),
        media_handlers=reading.media_handlers,
        spoken_settings=reading.spoken_settings,
        comments=MappingProxyType({name: comment for name, comment in reading.schemas if comment is not None}),
    )


async def _view_columns(reading: Reading) -> list[ViewColumn]:
    """Every view's columns that come from a table, in the order of the views' names and the columns'."""
    found: list[ViewColumn] = []
    async for view in in_slices(sorted(reading.origins, key=lambda oid: reading.marked.names.get(oid, ""))):
        for number, origin in sorted(reading.origins[view].items()):
            base, base_number = _followed(reading, origin)
            column, base_column = _column(reading, view, number), _column(reading, base, base_number)
            if column is not None and base_column is not None:
                above, below = reading.relations[view].relation, reading.relations[base].relation
                found.append(
                    ViewColumn(
                        schema=above.schema,
                        view=above.name,
                        column=column,
                        base_schema=below.schema,
                        base_relation=below.name,
                        base_column=base_column,
                    )
                )
    return found


def _followed(reading: Reading, origin: Origin) -> Origin:
    """The table's column below however many views."""
    for _ in range(_DEEPEST):
        deeper = reading.origins.get(origin[0], {}).get(origin[1])
        if deeper is None:
            break
        origin = deeper
    return origin


def _column(reading: Reading, oid: int, number: int) -> str | None:
    """A column's name; None where it is not one of a relation we know, or a view's own work."""
    described = reading.relations.get(oid)
    if described is None or number not in described.numbers:
        return None
    return described.relation.columns[described.numbers.index(number)].name


async def _relations(reading: Reading, view_columns: list[ViewColumn]) -> dict[Place, Relation]:
    """The relations by name, with what only the whole can tell of each."""
    shown: dict[Place, dict[Place, dict[str, str]]] = {}
    for each in view_columns:
        bases = shown.setdefault((each.schema, each.view), {})
        bases.setdefault((each.base_schema, each.base_relation), {}).setdefault(each.base_column, each.column)
    listed = {(known.relation.schema, known.relation.name): oid for oid, known in reading.relations.items()}
    by_place = {place: reading.relations[listed[place]].relation for place in sorted(listed)}
    async for place in in_slices(shown):
        keys = [
            columns[name]
            for base, columns in shown[place].items()
            if columns.keys() >= set(by_place[base].primary_key)
            for name in by_place[base].primary_key
        ]
        if keys:
            by_place[place] = msgspec.structs.replace(by_place[place], primary_key=tuple(keys))
    for oid in reading.reaching_partitions & reading.relations.keys():
        known = reading.relations[oid].relation
        place = (known.schema, known.name)
        by_place[place] = msgspec.structs.replace(by_place[place], reaches_partitions=True)
    return by_place
