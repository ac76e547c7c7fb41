"""What the house stands on: a database that answers, is prepared and migrated, and the vault's key."""

import errno
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from headwater.boot.components import find_migrations
from headwater.boot.errors import DatabaseUnreachable, FolderUnusable
from headwater.boot.settings import Settings
from headwater.kernel.clock import Clock
from headwater.kernel.component import Components
from headwater.kernel.database import (
    Connect,
    Connection,
    Database,
    DatabaseSettings,
    Lease,
    Login,
    Migration,
    Transactions,
    connect,
    ddl_is_watched,
    ensure_database,
    migrate,
    prepare_database,
)
from headwater.kernel.database.archive import Archives, BackupSettings, Place, embedded_place, external_place
from headwater.kernel.database.embedded import (
    Address,
    ClusterPlaced,
    EmbeddedObservation,
    EmbeddedPostgres,
    EmbeddedSettings,
    PostgresDied,
    PostgresStarted,
    RestartFailed,
    attach,
)
from headwater.kernel.database.embedded.models import DATABASE, SUPERUSER
from headwater.kernel.observe import DatabaseLost, DatabasePlaced, DatabaseReturned, MigrationApplied, Observer
from headwater.kernel.vault import MasterKey, Vault, VaultSettings, find_key

Addresses = Callable[[Login], dict[str, Any]]


class Foundation(msgspec.Struct, frozen=True, kw_only=True):
    """A prepared database and what opens it."""

    connect: Connect
    database: Database
    vault: Vault
    ddl_watched: bool
    archives: Archives
    applied: tuple[Migration, ...]


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """Where a house is to stand."""

    settings: Settings
    folder: Path
    components: Components
    clock: Clock
    observer: Observer
    host: str | None = None
    """Where the server listens, if that is not what the settings say."""


@asynccontextmanager
async def stand_on(ground: Ground, *, shared: bool = False, dry_run: bool = False) -> AsyncGenerator[Foundation]:
    """The database of the settings, ready for work, for the length of a block.

    With `HEADWATER_DATABASE_URL` that one, else the embedded one in the ground's folder, started here; with `shared`
    a server already running there is used as it is. `dry_run` tries the migrations and rolls them back.
    """
    settings, folder, observer = ground.settings, ground.folder, ground.observer
    database_settings = settings.part(DatabaseSettings)
    url = database_settings.url
    key = find_key(settings.part(VaultSettings), made_folder(folder), external_database=url is not None)
    embedded: EmbeddedPostgres | None = None
    if url is None:
        address = await attach(folder) if shared else None
        if address is None:
            embedded = EmbeddedPostgres(folder, observer=_listener(observer), settings=settings.part(EmbeddedSettings))
            address = await embedded.start()
        prepare, addresses = _embedded(address), _by_socket(address)
        find_place = _embedded_place(address)
    else:
        prepare, addresses = _external(url, key, database_settings), _by_url(url, key)
        find_place = _external_place(url, database_settings.connect_timeout)
    try:
        await prepare()
        connect_login = _connector(addresses, database_settings)
        watched, applied = await _migrated(connect_login, ground, dry_run=dry_run)
        for migration in applied:
            observer.tell(MigrationApplied(component=migration.component, name=migration.name))
        lease = Lease(connect_login, database_settings, observer)
        await lease.start()
        try:
            database = Database(lease, ground.clock, observer, database_settings)
            vault = Vault(key)
            if not dry_run:
                await Transactions(database).writing(vault.confirm_key)
            yield Foundation(
                connect=connect_login,
                database=database,
                vault=vault,
                ddl_watched=watched,
                archives=Archives(find_place, folder, settings.part(BackupSettings), observer),
                applied=tuple(applied),
            )
        finally:
            await lease.close()
    finally:
        if embedded is not None:
            await embedded.stop()


def _listener(observer: Observer) -> Callable[[EmbeddedObservation], None]:
    """What the embedded server tells, in the house's terms."""

    def listen(observation: EmbeddedObservation) -> None:
        match observation:
            case ClusterPlaced(cluster=cluster):
                observer.tell(DatabasePlaced(folder=str(cluster)))
            case PostgresDied(status=status):
                observer.tell(DatabaseLost(reason=f"postgres ended with status {status}"))
            case RestartFailed(reason=reason):
                observer.tell(DatabaseLost(reason=reason))
            case PostgresStarted(seconds=seconds, recovered=True):
                observer.tell(DatabaseReturned(seconds=seconds))
            case _:
                pass

    return listen


def made_folder(folder: Path) -> Path:
    """The data folder; root's can be passed through, because the database runs as another user.

    Raises `FolderUnusable`.
    """
    try:
        folder.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    except OSError as failure:
        reason = "it is no folder" if isinstance(failure, FileExistsError) else str(failure.strerror)
        raise FolderUnusable(folder=folder, reason=reason) from failure
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FolderUnusable(folder=folder, reason=os.strerror(errno.EACCES))
    return folder


def _by_socket(address: Address) -> Addresses:
    return lambda login: dict(address.connect_arguments(login.value))


def _by_url(url: str, key: MasterKey) -> Addresses:
    return lambda login: {"dsn": url, "user": login.value, "password": password_of(key, login)}


def password_of(key: MasterKey, login: Login) -> str:
    """The password of a login of an external database: the same on every node that has the key."""
    return key.derive(f"login:{login.value}").hex()


def _connector(addresses: Addresses, settings: DatabaseSettings) -> Connect:
    async def open_connection(key: str) -> Connection:
        login = Login(key)
        return await connect(addresses(login), login, settings)

    return open_connection


def _embedded(address: Address) -> Callable[[], Any]:
    async def prepare() -> None:
        maintenance: Connection = await asyncpg.connect(**address.connect_arguments(SUPERUSER, SUPERUSER))
        try:
            await ensure_database(maintenance, DATABASE)
        finally:
            await maintenance.close()
        ours: Connection = await asyncpg.connect(**address.connect_arguments(SUPERUSER))
        try:
            await prepare_database(ours, {})
        finally:
            await ours.close()

    return prepare


def _external(url: str, key: MasterKey, settings: DatabaseSettings) -> Callable[[], Any]:
    async def prepare() -> None:
        theirs = await reached(url, settings.connect_timeout)
        try:
            await prepare_database(theirs, {login: password_of(key, login) for login in Login})
        finally:
            await theirs.close()

    return prepare


def _embedded_place(address: Address) -> Callable[[], Awaitable[Place]]:
    async def find() -> Place:
        return embedded_place(address, DATABASE)

    return find


def _external_place(url: str, patience: float) -> Callable[[], Awaitable[Place]]:
    return lambda: place_of_url(url, patience)


async def place_of_url(url: str, patience: float) -> Place:
    """How PostgreSQL's programs reach the database of a URL. Raises `DatabaseUnreachable`."""
    connection = await reached(url, patience)
    await connection.close()
    return external_place(url, connection.get_server_version().major)


async def reached(url: str, patience: float) -> Connection:
    """A connection by the configured URL; raises `DatabaseUnreachable`, whose sentence tells nothing of the URL."""
    try:
        return await asyncpg.connect(dsn=url, timeout=patience)
    except TimeoutError as failure:
        raise DatabaseUnreachable(reason=f"no answer within {patience:g} s") from failure
    except (OSError, asyncpg.PostgresError) as failure:
        raise DatabaseUnreachable(reason=str(failure).partition("\n")[0]) from failure
    except ValueError as failure:  # asyncpg's own would repeat what it could not read, and a password may be in it
        raise DatabaseUnreachable(reason="it must read postgresql://user:password@host:5432/database") from failure


async def _migrated(connect_login: Connect, ground: Ground, *, dry_run: bool) -> tuple[bool, list[Migration]]:
    owner = await connect_login(Login.OWNER)
    try:
        applied = await migrate(owner, find_migrations(ground.components), ground.clock.now(), dry_run=dry_run)
        return await ddl_is_watched(owner), applied
    finally:
        await owner.close()
