"""What one node emits, followers and sockets hear on both, over Postgres' NOTIFY and over Redis."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from headwater.boot.components import find_components
from headwater.boot.foundation import Ground
from headwater.boot.house import House, open_house
from headwater.boot.server import Server
from headwater.boot.settings import ServerSettings, Settings
from headwater.kernel.cache import MISSING, Cache, CacheFamily
from headwater.kernel.clock import SystemClock
from headwater.kernel.component import Access, Component, Components, Endpoint, Follower, Mode, PlainSocket
from headwater.kernel.database import Transactions, WritingTransaction
from headwater.kernel.models import Event
from headwater.kernel.observe import MetricsListener, Observer
from headwater.kernel.principal import Principal
from headwater.platform.identity import Identity
from tests.faults.outside import OutsidePostgres
from tests.kernel.waiting import until
from tests.kit.redis import RedisServer
from tests.kit.sample_app import COMPONENT as SAMPLE_APP
from tests.kit.server import UNHURRIED, new_folder
from tests.kit.socketio import SocketIoClient, connect
from tests.kit.sockets import Client

KEY = "rE7wq0Zp4mUj2bXn6sTt8vYc1dAf3gHk"
LIGHTS = CacheFamily("lights", str, ttl=60)
CUT = """
select count(pg_terminate_backend(pid)) from pg_locks
where locktype = 'advisory' and classid = 7130 and objid = 3 and objsubid = 2
  and database = (select oid from pg_database where datname = current_database())
"""
"""Ends the connections on which nodes listen."""


class LightTurned(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody has turned a light on."""

    wire_name: ClassVar[str | None] = "light_turned"

    light: UUID
    by: UUID
    glare: str = ""

    def audience(self) -> tuple[str, ...]:
        """His own room, by two names."""
        return (f"user:{self.by}", f"user:{self.by}")


class Turned(msgspec.Struct, frozen=True):
    """What the follower reads of it."""

    light: UUID
    glare: str = ""


@dataclass(frozen=True)
class Lights:
    """Lights, and what a node knows of them in memory."""

    cache: Cache
    trail: list[str] = field(default_factory=list[str])

    async def turn(self, tx: WritingTransaction, principal: Principal, body: Turned) -> None:
        """Turn a light on."""
        tx.forget(LIGHTS.key(str(body.light)))
        tx.emit(LightTurned(light=body.light, by=UUID(str(principal.id)), glare=body.glare))

    async def put(self, transactions: Transactions, principal: Principal, body: Turned) -> None:
        """Remember of a light that it is off."""

        async def load() -> str:
            return "off"

        await self.cache.through(LIGHTS, str(body.light), load)

    async def tell(self, transactions: Transactions, principal: Principal, body: None) -> list[str]:
        """What happened here."""
        return self.trail

    async def follow(self, payload: Turned) -> None:
        """Note a light, after a while, and whether it was forgotten."""
        forgotten = self.cache.peek(LIGHTS, str(payload.light)) is MISSING
        await asyncio.sleep(0.05)
        self.trail.append(f"{payload.light} {'forgotten' if forgotten else 'still known'}")

    async def look(self, transactions: Transactions) -> None:
        """Look again."""
        self.trail.append("looked again")


def endpoint(method: str, path: str, operation: Any, mode: Mode, body: type | None) -> Endpoint:
    """An endpoint for signed-in users."""
    return Endpoint(
        method=method, path=path, operation=operation, access=Access.USER, transaction=mode, body=body, status=200
    )


LIGHTING = Component(
    name="lighting",
    package="tests.kit",
    operations=Lights,
    endpoints=(
        endpoint("POST", "/turn", Lights.turn, Mode.WRITING, Turned),
        endpoint("POST", "/put", Lights.put, Mode.NONE, Turned),
        endpoint("GET", "/trail", Lights.tell, Mode.NONE, None),
    ),
    sockets=(PlainSocket(path="/ws", access=Access.ANYONE),),
    followers=(
        Follower(name="lighting", of="LightTurned", payload=Turned, operation=Lights.follow, on_gap=Lights.look),
    ),
    events=(LightTurned,),
)


class Node(NamedTuple):
    """One process' worth of a house, served."""

    house: House
    url: str
    anon_key: str

    async def ask(self, token: str, method: str, path: str, body: object = None) -> Any:
        """What a request is answered."""
        async with httpx.AsyncClient(base_url=self.url, headers={"authorization": f"Bearer {token}"}) as client:
            answer = await client.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def sign_up(self) -> str:
        """A new user's token."""
        body = {"email": f"{uuid4().hex}@example.com", "password": "correct horse"}
        return (await self.ask(self.anon_key, "POST", "/api/auth/users", body))["accessToken"]

    async def trail(self, token: str) -> list[str]:
        """What happened here."""
        return await self.ask(token, "GET", "/apps/lighting/trail")


@asynccontextmanager
async def served(settings: dict[str, str]) -> AsyncGenerator[Node]:
    """A node for the length of a block."""
    folder, metrics = new_folder(), MetricsListener()
    ground = Ground(
        settings=Settings({**UNHURRIED, **settings}),
        folder=folder,
        components=Components((*find_components(), SAMPLE_APP, LIGHTING)),
        clock=SystemClock(),
        observer=Observer(metrics),
    )
    try:
        async with open_house(ground, metrics, working=False) as house:
            server = Server(house, ServerSettings(port=0, stop_within=1), (), house.sockets)
            serving = asyncio.ensure_future(server.serve())
            while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn rings no bell
                await asyncio.sleep(0.01)
            identity = house.authenticator
            assert isinstance(identity, Identity)
            keys = await Transactions(house.database).reading(identity.keys.read)
            try:
                yield Node(house, server.url, keys.anon_key)
            finally:
                server.stop()
                await serving
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)


@pytest.fixture(scope="module")
def postgres() -> Iterator[OutsidePostgres]:
    """A PostgreSQL of this module's own: the nodes' roles are its."""
    running = OutsidePostgres()
    yield running
    running.remove()


@pytest.fixture(params=["notify", pytest.param("redis", marks=pytest.mark.needs("redis-server"))])
def settings(request: pytest.FixtureRequest, postgres: OutsidePostgres) -> dict[str, str]:
    """Those of nodes on a fresh database, with Redis or without."""
    name = f"lights_{uuid4().hex[:8]}"
    postgres.sql(f"create database {name}")
    stated = {"HEADWATER_DATABASE_URL": postgres.url(database=name), "HEADWATER_ENCRYPTION_KEY": KEY}
    if request.param == "redis":
        redis: RedisServer = request.getfixturevalue("redis_server")
        stated |= {"HEADWATER_REDIS_URL": redis.url, "HEADWATER_REDIS_PREFIX": name}
    return stated


class Ear:
    """A Socket.IO client that keeps what it hears besides the greeting."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.wire: SocketIoClient | None = None

    def hear(self, event: str, arguments: list[Any]) -> None:
        """Keep an event."""
        if event != "connected":
            self.heard.append((event, arguments[0]))


async def ear(node: Node, credential: str) -> Ear:
    """A client that listens."""
    listening = Ear()
    listening.wire = await connect(node.url, {"token": credential}, listening.hear)
    return listening


async def test_events_reach_followers_and_their_audience_on_both_nodes(
    settings: dict[str, str], postgres: OutsidePostgres
) -> None:
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(served(settings))
        other = await stack.enter_async_context(served(settings))
        token, stranger = await one.sign_up(), await one.sign_up()
        mine = [await ear(node, token) for node in (one, other, one)]
        strangers = [await ear(one, stranger), await ear(other, stranger), await ear(one, one.anon_key)]
        plain = await _plain(one, token)

        note = await one.ask(token, "POST", "/apps/sample_app/notes", {"text": "one note"})
        owner = (await one.ask(token, "GET", "/api/auth/sessions/current"))["user"]["id"]
        told = ("SampleAppNoteAdded", {"note_id": note["id"], "owner": owner})
        await until(lambda: all(each.heard == [told] for each in mine))
        assert await plain.json() == {"type": told[0], **told[1]}

        light = str(uuid4())
        for node in (one, other):
            await node.ask(token, "POST", "/apps/lighting/put", {"light": light})
        await other.ask(token, "POST", "/apps/lighting/turn", {"light": light})
        assert await other.trail(token) == [f"{light} forgotten"], "forgotten, then followed, then answered"
        await until(lambda: all(len(each.heard) == 2 for each in mine))
        assert await one.trail(token) == [f"{light} forgotten"], "rooms hear after followers, on every node"
        assert all(each.heard[1] == ("light_turned", {"light": light, "by": owner}) for each in mine)

        glare = "too much for one message of the bus " * 500
        await one.ask(token, "POST", "/apps/lighting/turn", {"light": light, "glare": glare})
        await until(lambda: all(len(each.heard) == 3 for each in mine))
        assert all(each.heard[2][1] == {"light": light, "by": owner, "glare": glare} for each in mine)
        assert len(await other.trail(token)) == 2

        assert await postgres.run(CUT, database=urlsplit(settings["HEADWATER_DATABASE_URL"]).path[1:]) == 2
        await _until_looked_again(token, one, other)
        await asyncio.sleep(0.1)
        assert [len(each.heard) for each in mine] == [3, 3, 3], "once per socket, on no node twice"
        assert [each.heard for each in strangers] == [[], [], []]
        for wire in [each.wire for each in (*mine, *strangers) if each.wire is not None]:
            wire.cut()
        await plain.close()


async def _until_looked_again(token: str, *nodes: Node) -> None:
    async with asyncio.timeout(30):
        for node in nodes:
            while "looked again" not in await node.trail(token):  # noqa: ASYNC110 - it rings no bell
                await asyncio.sleep(0.05)


async def _plain(node: Node, token: str) -> Client:
    """A plain socket of the token's user."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(node.url).port)
    head = (
        f"GET /apps/lighting/ws?token={token} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    writer.write(head.encode())
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    return Client(reader, writer)
