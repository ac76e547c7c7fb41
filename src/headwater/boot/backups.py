"""Backup and restore of the house's database, whichever it is."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from headwater.boot.components import find_migrations
from headwater.boot.errors import (
    BackupOfAnotherKey,
    BackupTooNew,
    KeyOfBackupMissing,
    ServerIsRunning,
    TargetNotEmpty,
)
from headwater.boot.foundation import Ground, made_folder, password_of, place_of_url, reached
from headwater.kernel.database import (
    Connection,
    DatabaseSettings,
    Login,
    connect,
    ensure_database,
    ensure_roles,
    migrate,
    prepare_database,
)
from headwater.kernel.database.archive import (
    DROP_WHAT_WE_OWN,
    FORGET_SECRETS,
    LET_OWNERS_CREATE,
    BackupSettings,
    KeptFile,
    Place,
    database_exists,
    drop_database,
    dump,
    embedded_place,
    external_place,
    folder_of,
    forget_secrets,
    is_empty,
    list_kept,
    must_be_as_written,
    put_in_place,
    restore,
    restore_at_once,
    rows_in,
    serving_count,
)
from headwater.kernel.database.embedded import Address, EmbeddedPostgres, EmbeddedSettings, attach
from headwater.kernel.database.embedded.models import DATABASE, SUPERUSER
from headwater.kernel.vault import KEY_FILE, MasterKey, VaultSettings, find_key

_INCOMING = "headwater_restoring"
_REPLACED = "headwater_replaced"


class BackedUp(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that is whole; `key` is the fingerprint of the key that opens the secrets in it."""

    file: Path
    size: int
    key: str


class _Task(msgspec.Struct, frozen=True, kw_only=True):
    """A restore that may begin: what may be overwritten, and the key from then on."""

    file: Path
    key: MasterKey
    replace: bool
    loses_secrets: bool


async def back_up(ground: Ground, file: Path | None) -> BackedUp:
    """Write the whole database into `file`, beside a running server or without one.

    A dated file in the current folder unless one is given. Nothing is migrated first: a backup before an upgrade holds
    the old state. Raises `BackupExists`, `FolderUnusable`, `DatabaseUnreachable`, and what `dump` raises.
    """
    file = file or Path(f"headwater-{ground.clock.now():%Y-%m-%d-%H%M%S}.backup")
    async with _place_of(ground) as place:
        size = await dump(place, file)
    return BackedUp(file=file, size=size, key=await _fingerprint_in(file))


def list_backups(ground: Ground) -> list[KeptFile]:
    """The backups that the house has made of itself and kept, the newest first; its database may be gone."""
    return list_kept(folder_of(ground.folder, ground.settings.part(BackupSettings)))


async def restore_house(ground: Ground, file: Path, *, replace: bool, lose_secrets: bool) -> bool:
    """Put a backup in the place of the ground's database, wholly or not at all; whether its secrets were dropped.

    Refuses while a server runs, a database that is not empty without `replace`, and another key than the backup's
    without `lose_secrets`. Raises `ServerIsRunning`, `FolderInUse`, `TargetNotEmpty`, `KeyOfBackupMissing`,
    `BackupOfAnotherKey`, `BackupTooNew`, and what `archive.restore` and `migrate` raise.
    """
    await asyncio.to_thread(must_be_as_written, file)
    await _must_be_known(ground, file)
    key, loses_secrets = await _key_for(ground, file, lose_secrets=lose_secrets)
    task = _Task(file=file, key=key, replace=replace, loses_secrets=loses_secrets)
    url = ground.settings.part(DatabaseSettings).url
    if url is None:
        await _restore_embedded(ground, task)
    else:
        await _restore_external(ground, url, task)
    return loses_secrets


@asynccontextmanager
async def _place_of(ground: Ground) -> AsyncGenerator[Place]:
    """Where the ground's database is; an embedded one that does not run is started for the length of the block."""
    settings = ground.settings.part(DatabaseSettings)
    if settings.url is not None:
        yield await place_of_url(settings.url, settings.connect_timeout)
        return
    address = await attach(made_folder(ground.folder))
    if address is not None:
        yield embedded_place(address, DATABASE)
        return
    async with _own_server(ground) as address:
        yield embedded_place(address, DATABASE)


@asynccontextmanager
async def _own_server(ground: Ground) -> AsyncGenerator[Address]:
    """The embedded server of the folder, run by us alone. Raises `FolderInUse`."""
    postgres = EmbeddedPostgres(made_folder(ground.folder), settings=ground.settings.part(EmbeddedSettings))
    address = await postgres.start()
    try:
        yield address
    finally:
        await postgres.stop()


async def _restore_embedded(ground: Ground, task: _Task) -> None:
    """Into a new database beside the old one, made ready there, then put in its place by one transaction."""
    async with _own_server(ground) as address:
        if not task.replace and await _exists(address) and not await _is_empty(address):
            raise TargetNotEmpty(target=ground.folder)
        async with _superuser(address, SUPERUSER) as maintenance:
            for leftover in (_INCOMING, _REPLACED):
                await maintenance.execute(drop_database(leftover))
            await ensure_database(maintenance, _INCOMING)
            try:
                await restore(embedded_place(address, _INCOMING), task.file)
                async with _superuser(address, _INCOMING) as fresh:
                    await prepare_database(fresh, {})
                    if task.loses_secrets:
                        await forget_secrets(fresh)
                await _migrate(dict(address.connect_arguments(Login.OWNER.value, _INCOMING)), ground)
            except BaseException:
                await maintenance.execute(drop_database(_INCOMING))
                raise
            await put_in_place(maintenance, _INCOMING, DATABASE, _REPLACED)
            await maintenance.execute(drop_database(_REPLACED))


async def _restore_external(ground: Ground, url: str, task: _Task) -> None:
    """Into the database of the URL, in one transaction: there it is either all new or as it was."""
    patience = ground.settings.part(DatabaseSettings).connect_timeout
    connection = await reached(url, patience)
    try:
        if await serving_count(connection):
            raise ServerIsRunning
        if not task.replace and not await is_empty(connection):
            raise TargetNotEmpty(target="the database of HEADWATER_DATABASE_URL")
        passwords = {login: password_of(task.key, login) for login in Login}
        await ensure_roles(connection, passwords)
        place = external_place(url, connection.get_server_version().major)
        await restore_at_once(
            place,
            task.file,
            clean=task.replace,
            first=(*(DROP_WHAT_WE_OWN if task.replace else ()), *LET_OWNERS_CREATE),
            last=FORGET_SECRETS if task.loses_secrets else (),
        )
        await prepare_database(connection, passwords)
    finally:
        await connection.close()
    owner: dict[str, Any] = {"dsn": url, "user": Login.OWNER.value, "password": passwords[Login.OWNER]}
    await _migrate(owner, ground)


async def _migrate(address: dict[str, Any], ground: Ground) -> None:
    owner = await connect(address, Login.OWNER, ground.settings.part(DatabaseSettings))
    try:
        await migrate(owner, find_migrations(ground.components), ground.clock.now())
    finally:
        await owner.close()


async def _must_be_known(ground: Ground, file: Path) -> None:
    """Every migration in the backup is one of this code's; raises `BackupTooNew`."""
    known = {(migration.component, migration.name) for migration in find_migrations(ground.components)}
    components = {component for component, _ in known}
    for row in await rows_in(file, "system", "migrations"):
        component, name = row["component"], row["name"]
        if component in components and (component, name) not in known:
            raise BackupTooNew(file=file, migration=f"{component}/{name}")


async def _key_for(ground: Ground, file: Path, *, lose_secrets: bool) -> tuple[MasterKey, bool]:
    """The key at hand, made only where it may be, and whether the secrets in the backup are lost with it."""
    wanted = await _fingerprint_in(file)
    settings, folder = ground.settings, made_folder(ground.folder)
    has_key = settings.part(VaultSettings).encryption_key is not None or (folder / KEY_FILE).exists()
    external = settings.part(DatabaseSettings).url is not None
    if not has_key and not external and not lose_secrets:
        raise KeyOfBackupMissing(fingerprint=wanted, file=folder / KEY_FILE)
    key = find_key(settings.part(VaultSettings), folder, external_database=external)
    if key.fingerprint != wanted and not lose_secrets:
        raise BackupOfAnotherKey(fingerprint=wanted, given=key.fingerprint)
    return key, key.fingerprint != wanted


async def _fingerprint_in(file: Path) -> str:
    """The fingerprint of the key that a backup's secrets are sealed with; empty before a server's first start."""
    rows = await rows_in(file, "system", "encryption_keys")
    return next((row["fingerprint"] for row in rows if row["in_use"] == "t"), "")


@asynccontextmanager
async def _superuser(address: Address, database: str) -> AsyncGenerator[Connection]:
    connection: Connection = await asyncpg.connect(**address.connect_arguments(SUPERUSER, database))
    try:
        yield connection
    finally:
        await connection.close()


async def _exists(address: Address) -> bool:
    async with _superuser(address, SUPERUSER) as maintenance:
        return await database_exists(maintenance, DATABASE)


async def _is_empty(address: Address) -> bool:
    async with _superuser(address, DATABASE) as connection:
        return await is_empty(connection)
