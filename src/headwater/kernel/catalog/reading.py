"""What one look at the database finds, read again only where something changed."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from headwater.kernel.catalog import queries
from headwater.kernel.catalog.models import ForeignKey, Function, MediaHandler, Relation, Representation
from headwater.kernel.database import ReadingTransaction, Row

T = TypeVar("T")
SLICE = 50
"""How many relations are decoded in one turn of the loop: under a millisecond's work."""

_schemas = msgspec.json.Decoder(tuple[tuple[str, str | None], ...])
_relation = msgspec.json.Decoder(Relation)
_foreign_key = msgspec.json.Decoder(ForeignKey)
_function = msgspec.json.Decoder(Function)
_representations = msgspec.json.Decoder(tuple[Representation, ...])
_media_handlers = msgspec.json.Decoder(tuple[MediaHandler, ...])

Marks = Mapping[int, str]
Origin = tuple[int, int]
"""A relation's oid and the attnum of one of its columns."""


class Marked(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is there, told by marks that change with it; the names are those of relations."""

    relations: Marks
    names: Mapping[int, str]
    views: frozenset[int]
    named: Marks
    functions: Marks


NO_MARKS = Marked(relations={}, names={}, views=frozenset(), named={}, functions={})
"""Of one who has seen nothing yet: whoever looks with these reads everything."""


class Described(msgspec.Struct, frozen=True, gc=False):
    """A relation and the attnums of its columns."""

    relation: Relation
    numbers: tuple[int, ...]


class KnownKey(msgspec.Struct, frozen=True, gc=False):
    """A foreign key between two relations, by their oids."""

    origin: int
    target: int
    key: ForeignKey


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a snapshot is made of, by Postgres' own numbers, so that a part of it can be replaced."""

    marked: Marked
    schemas: tuple[tuple[str, str | None], ...]
    relations: Mapping[int, Described]
    foreign_keys: Mapping[int, KnownKey]
    origins: Mapping[int, Mapping[int, Origin]]
    functions: tuple[Function, ...]
    reaching_partitions: frozenset[int]
    representations: tuple[Representation, ...]
    media_handlers: tuple[MediaHandler, ...]
    spoken_settings: frozenset[str]

    def tells_the_same_as(self, other: "Reading") -> bool:
        """Whether both describe the same database, whatever their marks."""
        return msgspec.structs.replace(self, marked=other.marked) == other


NOTHING = Reading(
    marked=NO_MARKS,
    schemas=(),
    relations={},
    foreign_keys={},
    origins={},
    functions=(),
    reaching_partitions=frozenset(),
    representations=(),
    media_handlers=(),
    spoken_settings=frozenset(),
)
"""What is known before the first look."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a look brought home, still encoded.

    `read` are the relations told anew or gone; `traced` those of them that are made otherwise, so that the columns of
    a view among them may come from elsewhere. `functions` is None where those known still stand.
    """

    marked: Marked
    read: frozenset[int]
    traced: frozenset[int]
    relations: Sequence[Row]
    foreign_keys: Sequence[Row]
    view_columns: Sequence[Row]
    functions: Sequence[Row] | None
    schemas: bytes
    reaching_partitions: Sequence[int]
    representations: bytes
    media_handlers: bytes
    spoken_settings: Sequence[str]


async def look(tx: ReadingTransaction, seen: Marked) -> Found:
    """Read what has changed since those marks were seen."""
    await queries.qualify_names(tx)
    marked = await _find_marks(tx)
    changed, functions_too = _changed(seen, marked)
    gone = seen.relations.keys() - marked.relations.keys()
    oids = sorted(changed | gone)
    traced = frozenset(oid for oid in oids if seen.relations.get(oid) != marked.relations.get(oid))
    views = sorted(traced & marked.views)
    return Found(
        marked=marked,
        read=frozenset(oids),
        traced=traced,
        relations=await queries.list_relations(tx, oids) if oids else (),
        foreign_keys=await queries.list_foreign_keys(tx, oids) if oids else (),
        view_columns=await queries.list_view_columns(tx, views) if views else (),
        functions=await queries.list_functions(tx) if functions_too else None,
        schemas=await queries.list_schemas(tx),
        reaching_partitions=await queries.list_reaching_partitions(tx),
        representations=await queries.list_representations(tx),
        media_handlers=await queries.list_media_handlers(tx),
        spoken_settings=await queries.list_spoken_settings(tx),
    )


async def digest(known: Reading, found: Found) -> Reading:
    """What is known after a look: decoded in slices, so that no request waits for it.

    What turns out the same stays the very same object, so that comparing two readings costs next to nothing.
    """
    relations = {oid: described for oid, described in known.relations.items() if oid not in found.read}
    async for row in in_slices(found.relations):
        described = Described(_relation.decode(row["told"]), tuple(row["numbers"]))
        same = known.relations.get(row["oid"])
        relations[row["oid"]] = same if same is not None and same == described else described
    keys = {
        oid: key
        for oid, key in known.foreign_keys.items()
        if key.origin not in found.read and key.target not in found.read
    }
    async for row in in_slices(found.foreign_keys):
        keys[row["oid"]] = KnownKey(row["conrelid"], row["confrelid"], _foreign_key.decode(row["told"]))
    origins: dict[int, dict[int, Origin]] = {
        view: dict(columns) for view, columns in known.origins.items() if view not in found.traced
    }
    async for row in in_slices(found.view_columns):
        origins.setdefault(row["view"], {})[row["number"]] = (row["base"], row["base_number"])
    return Reading(
        marked=found.marked,
        schemas=_schemas.decode(found.schemas),
        relations=relations,
        foreign_keys=keys,
        origins=origins,
        functions=await _functions(known, found),
        reaching_partitions=frozenset(found.reaching_partitions),
        representations=_representations.decode(found.representations),
        media_handlers=_media_handlers.decode(found.media_handlers),
        spoken_settings=frozenset(found.spoken_settings),
    )


async def in_slices(items: Iterable[T], size: int = SLICE) -> AsyncIterator[T]:
    """Every item; after each `size` of them the loop does what else waits."""
    for number, item in enumerate(items, 1):
        yield item
        if number % size == 0:
            await asyncio.sleep(0)


async def _functions(known: Reading, found: Found) -> tuple[Function, ...]:
    if found.functions is None:
        return known.functions
    return tuple([_function.decode(row["told"]) async for row in in_slices(found.functions)])


async def _find_marks(tx: ReadingTransaction) -> Marked:
    relations = await queries.find_relation_marks(tx)
    named = await queries.find_named_marks(tx)
    return Marked(
        relations=dict(zip(relations["oids"], relations["marks"], strict=True)),
        names=dict(zip(relations["oids"], relations["names"], strict=True)),
        views=frozenset(relations["views"]),
        named=dict(zip(named["oids"], named["marks"], strict=True)),
        functions=dict(zip(named["function_oids"], named["function_marks"], strict=True)),
    )


def _changed(known: Marked, now: Marked) -> tuple[frozenset[int], bool]:
    """Which relations must be read, and whether the functions must.

    A description names others: where something that stood before is called otherwise, or a type is made otherwise,
    all are read again. What is new or gone cannot stand in a description that has not changed itself. Whether a view
    can be written to depends on the views below it, so a changed view concerns all.
    """
    renamed = any(now.names.get(oid, name) != name for oid, name in known.names.items())
    if renamed or any(now.named.get(oid, mark) != mark for oid, mark in known.named.items()):
        return frozenset(now.relations), True
    functions = now.functions != known.functions
    if any(now.functions.get(oid, mark) != mark for oid, mark in known.functions.items()):
        return frozenset(now.relations), True
    changed = frozenset(oid for oid, mark in now.relations.items() if known.relations.get(oid) != mark)
    if changed & now.views:
        changed |= now.views
    return changed, functions or now.relations.keys() != known.relations.keys()
