"""Players of the scoreboard and who watches them, through the door of a house, for flows that begin at an action."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from typing import Any, NamedTuple, TypeVar

import pytest
from typing_extensions import override

from headwater.flow import Request
from headwater.kernel.sockets import Sockets
from tests.kit.door import Answer, Door
from tests.kit.sockets import Client

T = TypeVar("T")
APP = "/apps/scoreboard"
UPDATE = f"{APP}/api/scoreboard/update"
GENERATE = f"{APP}/api/scoreboard/generate-action"
PASSWORD = "a long enough one"
_addresses = count(1)


class Player(NamedTuple):
    """Somebody who plays; each comes from an address of his own, so that nobody is counted with another."""

    door: Door
    name: str
    id: str
    token: str
    address: str

    async def ask(
        self, method: str, target: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask the app for something in his name."""
        credentials = {"authorization": f"Bearer {self.token}", **(headers or {})}
        return await self.door.ask(method, target, body, credentials, self.address)

    async def action(self, points: int = 50) -> dict[str, Any]:
        """An action as the server signed it for him."""
        answered = await self.ask("POST", GENERATE, {"scoreIncrement": points})
        assert answered.status == 200, answered.body
        return answered.json["data"]

    async def play(self, points: int = 50) -> dict[str, Any]:
        """What an action came to."""
        answered = await self.ask("POST", UPDATE, await self.action(points))
        assert answered.status == 200, answered.body
        return answered.json["data"]


async def enter(door: Door, name: str) -> Player:
    """A new player."""
    address = f"10.9.8.{next(_addresses)}"
    body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    answered = await door.ask("POST", f"{APP}/api/auth/register", body, address=address)
    assert answered.status == 201, answered.body
    told = answered.json["data"]
    return Player(door, name, told["user"]["id"], told["token"], address)


async def as_admin(door: Door, method: str, target: str, body: object = None) -> Any:
    """What the app tells the admin."""
    answered = await door.ask_as(door.keys.admin_key, method, f"{APP}{target}", body)
    assert answered.status in {200, 201}, answered.body
    return answered.json["data"]


def part_of(door: Door, target: str, kind: type[T], method: str = "GET") -> T:
    """The operations of the app, of this kind, that answer at a route of the house."""
    endpoint = door.house.endpoint(Request(method, f"{APP}{target}", "", {}, "127.0.0.1", NotImplemented))
    owner = getattr(endpoint.operation, "__self__", None)
    assert isinstance(owner, kind)
    return owner


@asynccontextmanager
async def watching(door: Door, query: str = "") -> AsyncGenerator[Client]:
    """A watcher of a board for the length of a block; nothing it is told has been read yet."""
    sockets, loop = door.house.sockets, asyncio.get_running_loop()
    near, far = socket.socketpair()
    entrance = sockets.entrance(f"{APP}/ws", query, {}, "127.0.0.1")
    assert callable(entrance), entrance
    transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, far)
    entrance(sockets.accept(transport, "c3VyZWx5IHNpeHRlZW4gYg==", None, lambda: None))
    client = Client(*await asyncio.open_connection(sock=near))
    try:
        await client.reader.readuntil(b"\r\n\r\n")
        yield client
    finally:
        await client.close()


async def hear(client: Client, kind: str) -> Any:
    """The next message of this type; others before it are passed over."""
    while True:
        told = await client.json()
        if told["type"] == kind:
            return told["data"]


async def hear_score(client: Client, player: Player, score: int) -> None:
    """Return once the watcher was told that the player has this score."""
    while True:
        told = await hear(client, "scoreboard_update")
        if [place["score"] for place in told["scoreboard"] if place["userId"] == player.id] == [score]:
            return


class _Closed(dict[str, Any]):
    """Idle connections that are put back and not taken."""

    @override
    def get(self, key: str, default: Any = None) -> Any:
        return default


@contextmanager
def no_database(door: Door) -> Generator[None]:
    """For the length of a block Postgres is away, also for who comes after somebody that was still served."""

    async def refuse(login: str) -> Any:
        raise ConnectionRefusedError(login)

    def no_pipe(*_: object) -> None:
        """None is open."""

    lease = door.house.database.lease
    idle = lease._idle  # pyright: ignore[reportPrivateUsage] - nobody takes what lies here
    returned = _Closed()
    with pytest.MonkeyPatch.context() as away:
        away.setattr(lease, "_idle", returned)
        away.setattr(lease, "_connect", refuse)
        away.setattr(door.house.database.pipelines, "find", no_pipe)
        try:
            yield
        finally:
            for login, connections in returned.items():
                idle.setdefault(login, []).extend(connections)


def told_room(_sockets: Sockets, room: str, *_: object, **__: object) -> str:
    """A step of a trace: a room is told something."""
    return f"broadcast: {room}"
