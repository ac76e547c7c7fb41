"""One database for many requests: the library of the cases, asked with any settings."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from headwater.kernel.catalog import Catalog
from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Connection, Database, DatabaseSettings, Lease, Login
from headwater.kernel.observe import Observer
from headwater.platform.records import Records, RecordsSettings
from tests.kit.database import Cluster, fresh_database
from tests.platform.records.conftest import Ask, asking

FOLDER = Path(__file__).parent / "cases"


class Library:
    """The cases' database, and operations over it with any settings."""

    def __init__(self, database: Database, catalog: Catalog, admin: Connection) -> None:
        self._database, self._catalog, self._admin = database, catalog, admin
        self._records: dict[RecordsSettings, Ask] = {}

    def asking(self, settings: RecordsSettings) -> Ask:
        """What asks operations with these settings."""
        if settings not in self._records:
            records = Records(catalog=self._catalog, settings=settings)
            self._records[settings] = asking(records, self._database)
        return self._records[settings]

    async def restore(self) -> None:
        """Put the rows back that cases change."""
        await self._admin.execute((FOLDER / "written.sql").read_text())


@asynccontextmanager
async def opened_library(cluster: Cluster, template: str) -> AsyncGenerator[Library]:
    """The database that all cases ask, with its rows."""
    with fresh_database(cluster, template) as name:
        connector = cluster.connector(name)
        admin = await connector(Login.ADMIN)
        for file in ("library", "functions", "handlers", "house", "rows", "written"):
            await admin.execute((FOLDER / f"{file}.sql").read_text())
        settings, observer = DatabaseSettings(), Observer()
        lease = Lease(connector, settings, observer)
        await lease.start()
        database = Database(lease, DrivenClock(), observer, settings)
        catalog = Catalog(database)
        await catalog.refresh()
        yield Library(database, catalog, admin)
        await lease.close()
        await admin.close()
