"""A real PostgreSQL for tests: one cluster a worker, one template, a fresh database a test."""

import asyncio
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Coroutine, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest

from headwater.boot.components import find_components, find_migrations
from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import (
    Connect,
    Connection,
    Database,
    DatabaseSettings,
    Lease,
    Login,
    connect,
    ensure_database,
    migrate,
    prepare_database,
)
from headwater.kernel.database.embedded import Address, EmbeddedPostgres
from headwater.kernel.observe import Observation, Observer

T = TypeVar("T")
TEMPLATE = "headwater_template"


class Cluster:
    """An embedded PostgreSQL on a thread of its own, so that tests with loops of their own can share it."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._postgres = EmbeddedPostgres(folder)
        self.address: Address = self.run(self._postgres.start())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Carry out `work` on the cluster's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def need_not_survive_the_machine(self) -> None:
        """Wait for no disk: what tests write need last no longer than they do."""
        connection = await self.superuser("postgres")
        for setting in ("fsync", "full_page_writes"):
            await connection.execute(f"alter system set {setting} = off")
        await connection.execute("select pg_reload_conf()")
        await connection.close()

    def stop(self) -> None:
        """Stop the server and the thread."""
        self.run(self._postgres.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def connector(self, database: str, settings: DatabaseSettings | None = None) -> Connect:
        """What opens connections of any login to `database`."""

        async def open_connection(key: str) -> Connection:
            login = Login(key)
            address = self.address.connect_arguments(login.value, database)
            return await connect(dict(address), login, settings or DatabaseSettings())

        return open_connection

    async def superuser(self, database: str) -> Connection:
        """A connection as the cluster's superuser."""
        return await connect(
            dict(self.address.connect_arguments("postgres", database)), Login.OWNER, DatabaseSettings()
        )


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The worker's PostgreSQL."""
    folder = Path(tempfile.mkdtemp(prefix="hw"))
    folder.chmod(0o755)  # else root's cluster would lie under /var/lib/headwater
    running = Cluster(folder)
    running.run(running.need_not_survive_the_machine())
    try:
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> str:
    """The name of a database with every migration applied."""

    async def build() -> None:
        maintenance = await cluster.superuser("postgres")
        await ensure_database(maintenance, TEMPLATE)
        await maintenance.close()
        fresh = await cluster.superuser(TEMPLATE)
        await prepare_database(fresh, {})
        await fresh.close()
        owner = await cluster.connector(TEMPLATE)(Login.OWNER)
        await migrate(owner, find_migrations(find_components()), DrivenClock().now())
        await owner.close()

    cluster.run(build())
    return TEMPLATE


@contextmanager
def fresh_database(cluster: Cluster, template: str) -> Generator[str]:
    """The name of a fresh, migrated database, which is dropped at the end."""
    name = f"test_{uuid4().hex}"

    async def maintain(*statements: str) -> None:
        connection = await cluster.superuser("postgres")
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    cluster.run(
        maintain(
            f"create database {name} template {template} owner headwater_owner strategy file_copy",
            f"grant all on database {name} to headwater_owner, project_admin",
        )
    )
    try:
        yield name
    finally:
        cluster.run(maintain(f"drop database {name} with (force)"))


@pytest.fixture
def database_name(cluster: Cluster, template: str) -> Iterator[str]:
    """A fresh, migrated database of this test's own."""
    with fresh_database(cluster, template) as name:
        yield name


@pytest.fixture
def clock() -> DrivenClock:
    """A clock that the test moves."""
    return DrivenClock()


@pytest.fixture
def observations() -> list[Observation]:
    """Everything the test's parts told their observer."""
    return []


@pytest.fixture
def observer(observations: list[Observation]) -> Observer:
    """An observer that keeps what it is told in `observations`."""
    return Observer(observations.append)


@pytest.fixture
def connector(cluster: Cluster, database_name: str) -> Connect:
    """Opens connections of any login to this test's database."""
    return cluster.connector(database_name)


@pytest.fixture
async def database(connector: Connect, clock: DrivenClock, observer: Observer) -> AsyncIterator[Database]:
    """This test's database, as the house uses it."""
    settings = DatabaseSettings()
    lease = Lease(connector, settings, observer)
    await lease.start()
    yield Database(lease, clock, observer, settings)
    await lease.close()
