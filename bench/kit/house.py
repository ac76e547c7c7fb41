"""The parts of a house without its server: a database of ours in this process, and a connection that changes it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from headwater.kernel.clock import SystemClock
from headwater.kernel.database import (
    Connection,
    Database,
    DatabaseSettings,
    Lease,
    Login,
    connect,
    ensure_database,
    prepare_database,
)
from headwater.kernel.database.embedded import EmbeddedPostgres
from headwater.kernel.database.embedded.models import DATABASE, SUPERUSER
from headwater.kernel.observe import Observer


@asynccontextmanager
async def empty_database(folder: Path) -> AsyncGenerator[tuple[Database, Connection]]:
    """A database with our roles and nothing else, and a connection of the admin's."""
    settings, postgres = DatabaseSettings(), EmbeddedPostgres(folder)
    address = await postgres.start()

    async def open_connection(key: str) -> Connection:
        login = Login(key)
        return await connect(dict(address.connect_arguments(login.value)), login, settings)

    try:
        for database in (SUPERUSER, DATABASE):
            maintenance = await connect(dict(address.connect_arguments(SUPERUSER, database)), Login.OWNER, settings)
            await (
                ensure_database(maintenance, DATABASE) if database == SUPERUSER else prepare_database(maintenance, {})
            )
            await maintenance.close()
        admin = await open_connection(Login.ADMIN)
        lease = Lease(open_connection, settings, Observer())
        await lease.start()
        yield Database(lease, SystemClock(), Observer(), settings), admin
        await lease.close()
        await admin.close()
    finally:
        await postgres.stop()
