"""Schema migrations: SQL files per component, applied in order, once, whoever starts first."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from importlib.resources import files

import msgspec

from headwater.kernel.database import sql
from headwater.kernel.database.connection import Connection
from headwater.kernel.database.errors import MigrationChanged, MigrationMissing


class Migration(msgspec.Struct, frozen=True):
    """One file of a component's `migrations/` folder."""

    component: str
    name: str
    text: str

    @property
    def checksum(self) -> bytes:
        """SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).digest()


def read_migrations(component: str, package: str) -> tuple[Migration, ...]:
    """The migrations of `package`, in the order of their names; none if it has no such folder."""
    folder = files(package).joinpath("migrations")
    if not folder.is_dir():
        return ()
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    return tuple(Migration(component, entry.name.removesuffix(".sql"), entry.read_text("utf-8")) for entry in found)


async def migrate(
    connection: Connection, migrations: Sequence[Migration], now: datetime, *, dry_run: bool = False
) -> list[Migration]:
    """Apply what is not applied yet, each file in its own transaction; the migrations applied, in order.

    Safe with several nodes starting at once: one works, the others wait and find nothing to do, and no time limit
    holds. With `dry_run` all of it runs in one transaction that is rolled back. Raises `MigrationChanged` for a file
    that was edited after it was applied, `MigrationMissing` where the database is ahead of the code, and Postgres' own
    errors.
    """
    await connection.execute(sql.UNLIMITED)
    await connection.execute(sql.MIGRATIONS_LOCK)
    try:
        if not dry_run:
            return await _apply_pending(connection, migrations, now)
        attempt = connection.transaction()
        await attempt.start()
        try:
            return await _apply_pending(connection, migrations, now)
        finally:
            await attempt.rollback()
    finally:
        if not connection.is_closed():
            await connection.execute(sql.MIGRATIONS_UNLOCK)
            await connection.execute(sql.LIMITED)


async def _apply_pending(connection: Connection, migrations: Sequence[Migration], now: datetime) -> list[Migration]:
    await connection.execute(sql.CREATE_MIGRATIONS_TABLE)
    pending = await _pending(connection, migrations)
    for migration in pending:
        async with connection.transaction():
            await connection.execute(migration.text)
            await connection.execute(sql.ADD_MIGRATION, migration.component, migration.name, migration.checksum, now)
    return pending


async def _pending(connection: Connection, migrations: Sequence[Migration]) -> list[Migration]:
    known = {(m.component, m.name): m for m in migrations}
    components = {m.component for m in migrations}
    applied: set[tuple[str, str]] = set()
    for row in await connection.fetch(sql.FIND_MIGRATIONS):
        key = (row["component"], row["name"])
        applied.add(key)
        migration = known.get(key)
        if migration is None and row["component"] in components:
            raise MigrationMissing(component=row["component"], name=row["name"])
        if migration is not None and migration.checksum != row["checksum"]:
            raise MigrationChanged(component=row["component"], name=row["name"])
    return [m for m in migrations if (m.component, m.name) not in applied]
