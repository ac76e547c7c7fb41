"""The catalog: the newest snapshot, and how it is renewed."""

import asyncio
from types import MappingProxyType

import msgspec

from headwater.kernel.catalog import queries
from headwater.kernel.catalog.models import EMPTY, INTERNAL_SCHEMAS, ForeignKey, Function, Relation, Snapshot
from headwater.kernel.database import Database, ReadingTransaction

_schemas = msgspec.json.Decoder(tuple[str, ...])
_relations = msgspec.json.Decoder(tuple[Relation, ...])
_foreign_keys = msgspec.json.Decoder(tuple[ForeignKey, ...])
_functions = msgspec.json.Decoder(tuple[Function, ...])

_Reading = tuple[str, str, str, str]


class Catalog:
    """What the database looks like now.

    `internal_schemas` are those whose rows are never served over HTTP. A snapshot is replaced whole, so whoever
    holds one keeps a consistent view. A failed renewal keeps the old one.
    """

    def __init__(self, database: Database, internal_schemas: frozenset[str] = INTERNAL_SCHEMAS) -> None:
        self._database = database
        self._internal_schemas = internal_schemas
        self._current = EMPTY
        self._reading: _Reading | None = None
        self._fingerprint: str | None = None
        self._loading: asyncio.Task[None] | None = None
        self._waiting: asyncio.Task[None] | None = None

    @property
    def current(self) -> Snapshot:
        """The newest snapshot; version 0 and empty until the first `refresh`."""
        return self._current

    @property
    def version(self) -> int:
        """The newest snapshot's version."""
        return self._current.version

    async def refresh(self) -> None:
        """Return once a reading that began after this call has become the current snapshot.

        However many ask while one reading runs, one further reading serves them all. Raises what the database raises;
        the old snapshot stays then.
        """
        if self._waiting is None:
            self._waiting = asyncio.create_task(self._load_after(self._loading))
        await asyncio.shield(self._waiting)

    async def refresh_if_changed(self) -> bool:
        """Compare a fingerprint of the schemas and refresh where it is another; whether the version rose.

        For whoever is told that something changed, perhaps by this process itself, and for databases where nobody may
        tell: called each second, it costs a few milliseconds.
        """
        fingerprint = await self._database.single(queries.find_fingerprint)
        if fingerprint == self._fingerprint:
            return False
        before = self.version
        await self.refresh()
        return self.version != before

    async def _load_after(self, earlier: asyncio.Task[None] | None) -> None:
        if earlier is not None:
            await asyncio.wait({earlier})
        self._loading, self._waiting = self._waiting, None
        try:
            self._fingerprint, reading = await self._database.reading(_read)
            if reading != self._reading:
                self._current = _snapshot(self.version + 1, reading, self._internal_schemas)
                self._reading = reading
        finally:
            self._loading = None


async def _read(tx: ReadingTransaction) -> tuple[str, _Reading]:
    await queries.qualify_names(tx)
    return await queries.find_fingerprint(tx), (
        await queries.list_schemas(tx),
        await queries.list_relations(tx),
        await queries.list_foreign_keys(tx),
        await queries.list_functions(tx),
    )


def _snapshot(version: int, reading: _Reading, internal_schemas: frozenset[str]) -> Snapshot:
    listed, relations, foreign_keys, functions = reading
    by_name: dict[tuple[str, str], tuple[Function, ...]] = {}
    for function in _functions.decode(functions):
        place = (function.schema, function.name)
        by_name[place] = (*by_name.get(place, ()), function)
    schemas = _schemas.decode(listed)
    return Snapshot(
        version=version,
        schemas=schemas,
        exposed_schemas=tuple(name for name in schemas if name not in internal_schemas),
        relations=MappingProxyType({(r.schema, r.name): r for r in _relations.decode(relations)}),
        foreign_keys=_foreign_keys.decode(foreign_keys),
        functions=MappingProxyType(by_name),
    )
