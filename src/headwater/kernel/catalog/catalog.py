"""The catalog: the newest snapshot, and how it is renewed."""

import asyncio

import msgspec

from headwater.kernel.catalog import queries
from headwater.kernel.catalog.models import EMPTY, INTERNAL_SCHEMAS, Snapshot
from headwater.kernel.catalog.reading import NO_MARKS, NOTHING, Found, digest, look
from headwater.kernel.catalog.snapshot import assemble
from headwater.kernel.database import Database, ReadingTransaction


class Catalog:
    """What the database looks like now.

    `internal_schemas` are those whose rows are never served over HTTP; where `served` names schemas, these and no
    others are, in that order. A snapshot is replaced whole, so whoever holds one keeps a consistent view. A failed
    renewal keeps the old one.
    """

    def __init__(
        self,
        database: Database,
        internal_schemas: frozenset[str] = INTERNAL_SCHEMAS,
        *,
        served: tuple[str, ...] | None = None,
    ) -> None:
        self._database = database
        self._served = served
        self._internal_schemas = internal_schemas
        self._current = EMPTY
        self._reading = NOTHING
        self._fingerprint: str | None = None
        self._trusted = True
        self._loading: asyncio.Task[None] | None = None
        self._waiting: asyncio.Task[None] | None = None

    @property
    def internal_schemas(self) -> frozenset[str]:
        """Schemas that are the house's own, Postgres' `pg_…` aside: no developer changes them."""
        return self._internal_schemas

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

    async def reload(self) -> None:
        """As `refresh`, but everything is read again, as somebody asks for who trusts no mark of a change."""
        self._trusted = False
        await self.refresh()

    async def refresh_if_changed(self) -> bool:
        """Compare a fingerprint of the schemas and refresh where it is another; whether the version rose.

        For whoever is told that something changed, perhaps by this process itself, and for databases where nobody may
        tell: called each second, it costs a few milliseconds.
        """
        if await self._database.single(queries.find_fingerprint) == self._fingerprint:
            return False
        before = self.version
        await self.refresh()
        return self.version != before

    async def _load_after(self, earlier: asyncio.Task[None] | None) -> None:
        if earlier is not None:
            await asyncio.wait({earlier})
        self._loading, self._waiting = self._waiting, None
        try:
            await self._load()
        finally:
            self._loading = None

    async def _load(self) -> None:
        known, trusted = self._reading, self._trusted

        async def read(tx: ReadingTransaction) -> tuple[str, Found]:
            fingerprint = await queries.find_fingerprint(tx)  # of this view: one from before may come back unchanged
            return fingerprint, await look(tx, known.marked if trusted else NO_MARKS)

        self._trusted = True
        try:
            fingerprint, found = await self._database.reading(read)
            reading = await digest(known, found)
            if self.version == 0 or not reading.tells_the_same_as(known):
                snapshot = await assemble(self.version + 1, reading, self._internal_schemas)
                if self._served is not None:
                    snapshot = msgspec.structs.replace(snapshot, exposed_schemas=self._served)
                self._current = snapshot
        except BaseException:
            self._trusted = self._trusted and trusted
            raise
        self._reading, self._fingerprint = reading, fingerprint
