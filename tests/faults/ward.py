"""A house served in the test's own process, with its connections watched as they are lent."""

import asyncio
import os
import shutil
from base64 import urlsafe_b64decode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import msgspec

from headwater.boot.components import find_components
from headwater.boot.foundation import Ground
from headwater.boot.house import House, open_house, read_house_keys
from headwater.boot.server import Server
from headwater.boot.settings import ServerSettings, Settings
from headwater.kernel.clock import SystemClock
from headwater.kernel.database import Connection, Login
from headwater.kernel.database.embedded import attach
from headwater.kernel.database.logins import ROLE_OF_LOGIN
from headwater.kernel.observe import MetricsListener, Observer
from tests.kit.server import new_folder

POOL = 6
"""Few connections, so that logins take them from each other."""
ENVIRONMENT = {
    "HEADWATER_DATABASE_ANON_STATEMENT_TIMEOUT": "0.3",
    "HEADWATER_DATABASE_AUTHENTICATED_STATEMENT_TIMEOUT": "0.4",
    "HEADWATER_DATABASE_STATEMENT_TIMEOUT": "5",
    "HEADWATER_DATABASE_POOL_MAX": str(POOL),
    "HEADWATER_DATABASE_POOL_WAIT": "30",
    "HEADWATER_FLOW_REQUESTS_PER_MINUTE": "100000000",
}
PATIENCE = {Login.ANON: "300ms", Login.AUTHENTICATED: "400ms", Login.ADMIN: "5s", Login.OWNER: "5s"}
PROBE = """
select session_user::text as login, current_user::text as role, current_setting('request.jwt.claims') as claims,
  current_setting('transaction_read_only') as read_only, current_setting('search_path') as search_path,
  current_setting('timezone') as timezone, current_setting('statement_timeout') as patience,
  (select count(*) from pg_locks where pid = pg_backend_pid() and locktype = 'advisory') as locks,
  pg_my_temp_schema() <> 0 as has_temporary_tables
"""
HANGING = """
select usename, state, query from pg_stat_activity
where usename like 'headwater_%' and pid <> pg_backend_pid() and (state like 'idle in transaction%' or state = 'active')
"""
TERMINATE_ONE = """
select pg_terminate_backend(pid) from pg_stat_activity where usename like 'headwater_%' order by random() limit 1
"""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A principal, and what in an answer is his alone."""

    name: str
    role: str
    credential: str
    claims: dict[str, object]
    id: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What he shows."""
        return {"authorization": f"Bearer {self.credential}"}

    @property
    def word(self) -> str:
        """What every row of his begins with."""
        return f"word-of-{self.name}"

    @property
    def marks(self) -> tuple[str, ...]:
        """Texts that nobody else may be told."""
        own = (str(self.claims[name]) for name in ("sub", "email", "sid", "jti") if name in self.claims)
        return (self.word, *own)


class Ward:
    """A served house; `dirt` is what connections still carried of earlier work when they were lent again."""

    def __init__(self, house: House, server: Server, superuser: Connection) -> None:
        self.house = house
        self.server = server
        self.superuser = superuser
        self._turn = asyncio.Lock()
        self.lease = house.database.lease
        self.dirt: list[str] = []
        self.probes = 0
        self._taken = 0
        self._take = self.lease.take
        self.lease.take = self._probed

    async def _probed(self, login: str) -> Connection:
        """A connection, every other one just probed; one that is found dead by it is replaced."""
        self._taken += 1
        if self._taken % 2:
            return await self._take(login)
        while True:
            connection = await self._take(login)
            try:
                await self._probe(login, connection)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
                self.lease.give_back(login, connection, dirty=True)
            except BaseException:
                self.lease.give_back(login, connection, dirty=True)
                raise
            else:
                return connection

    async def _probe(self, key: str, connection: Connection) -> None:
        login = Login(key)
        if connection.is_in_transaction():
            self.dirt.append(f"{login}: in a transaction")
        found = dict(await connection.fetchrow(PROBE) or {})
        self.probes += 1
        clean = {
            "login": login.value,
            "role": ROLE_OF_LOGIN.get(login, login.value),
            "claims": "{}",
            "read_only": "off",
            "search_path": "public",
            "timezone": "UTC",
            "patience": PATIENCE[login],
            "locks": 0,
            "has_temporary_tables": False,
        }
        if found != clean:
            self.dirt.append(f"{login}: {found}")

    async def probe_pool(self) -> int:
        """Probe every connection that lies in the pool; how many there were."""
        lying = [(login, connection) for login, idle in self.lease._idle.items() for connection, _ in idle]
        living = [(login, connection) for login, connection in lying if not connection.is_closed()]
        for login, connection in living:
            await self._probe(login, connection)
        return len(living)

    async def terminate_one(self) -> bool:
        """End some connection of the house, whatever it does."""
        async with self._turn:
            return bool(await self.superuser.fetchval(TERMINATE_ONE))

    async def hanging(self) -> list[str]:
        """Connections of the house that are in a transaction or at work."""
        return [str(dict(row)) for row in await self.superuser.fetch(HANGING)]


@asynccontextmanager
async def warded(tables: str) -> AsyncGenerator[tuple[Ward, httpx.AsyncClient, list[Person]]]:
    """A served house with these tables, and in it anon, alice, bob and the admin."""
    folder = new_folder()
    metrics = MetricsListener()
    ground = Ground(
        settings=Settings({**os.environ, **ENVIRONMENT}),
        folder=folder,
        components=find_components(),
        clock=SystemClock(),
        observer=Observer(metrics),
    )
    try:
        async with open_house(ground, metrics) as house:
            keys = await read_house_keys(ground)
            server = Server(house, ServerSettings(port=0), ())
            serving = asyncio.ensure_future(server.serve())
            while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn rings no bell
                await asyncio.sleep(0.01)
            superuser = await _superuser(folder)
            try:
                async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
                    people = await _people(client, keys.anon_key, keys.admin_key, tables)
                    yield Ward(house, server, superuser), client, people
            finally:
                await superuser.close()
                server.stop()
                await serving
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)


async def _superuser(folder: Path) -> Connection:
    address = await attach(folder)
    assert address is not None
    return await asyncpg.connect(**address.connect_arguments("postgres"))


async def _people(client: httpx.AsyncClient, anon_key: str, admin_key: str, tables: str) -> list[Person]:
    anon = Person(name="anon", role="anon", credential=anon_key, claims={"role": "anon"})
    admin = Person(name="admin", role="project_admin", credential=admin_key, claims={"role": "project_admin"})
    made = await client.post("/api/database/advance/rawsql", headers=admin.headers, json={"query": tables})
    assert made.status_code == 200, made.text
    return [anon, *[await _user(client, anon, name) for name in ("alice", "bob")], admin]


async def _user(client: httpx.AsyncClient, anon: Person, name: str) -> Person:
    account = {"email": f"{name}@example.com", "password": "correct horse"}
    answer = await client.post("/api/auth/users", headers=anon.headers, json=account)
    session = answer.raise_for_status().json()
    token: str = session["accessToken"]
    payload = token.split(".")[1]
    claims = msgspec.json.decode(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=dict[str, object])
    return Person(name=name, role="authenticated", credential=token, id=session["user"]["id"], claims=claims)
