"""A hall that receives sockets, a server around it, and clients that say on the wire whatever a test likes."""

import asyncio
import base64
import json
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import httpx
from typing_extensions import override

from headwater.boot.crew import Siblings
from headwater.boot.server import Server
from headwater.boot.settings import ServerSettings
from headwater.boot.sockets import lay_polling
from headwater.kernel.errors import InvalidToken, MissingCredentials, Refusal
from headwater.kernel.observe import Observer
from headwater.kernel.principal import NOBODY, Principal, principal_from_claims
from headwater.kernel.sockets import (
    Acknowledgement,
    Admission,
    CloseReason,
    Handshake,
    Incoming,
    NotAcknowledged,
    PlainSocket,
    Resumed,
    Socket,
    Sockets,
    SocketSettings,
)
from tests.kit.house import SmallHouse

PLAIN_PATH = "/ws/plain"
SOCKET_PATH = "/socket.io/"
TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
Answering = Callable[[Socket, Incoming], Awaitable[Acknowledgement | None]]


class Hall:
    """Receives sockets: `good` is the token of a user, and some events do what their names say.

    Whoever is let in goes on with what `resumes` says, and `resumptions` are what they went on with.
    """

    def __init__(self, sockets: Sockets, *, open_to_all: bool = True) -> None:
        self.sockets = sockets
        self.open_to_all = open_to_all
        self.resumes: Resumed | None = None
        self.resumptions: list[Resumed | None] = []
        self.handshakes: list[Handshake] = []
        self.received: list[Incoming] = []
        self.opened_sockets: list[Socket] = []
        self.closings: list[tuple[Socket, CloseReason]] = []
        self.refusals: list[Refusal] = []
        self.answering: dict[str, Answering] = {
            "echo": self._echo,
            "join": self._join,
            "leave": self._leave,
            "say": self._say,
            "ask": self._ask,
            "boom": self._boom,
            "kick": self._kick,
        }

    async def admit(self, handshake: Handshake) -> Principal | Admission:
        """The user with the good token; whoever has none, if the hall is open to all."""
        self.handshakes.append(handshake)
        principal = self._principal(handshake)
        return principal if self.resumes is None else Admission(principal, self.resumes)

    def _principal(self, handshake: Handshake) -> Principal:
        token = (handshake.auth or {}).get("token") or handshake.query.get("token")
        if token is None and self.open_to_all:
            return NOBODY
        if token is None:
            raise MissingCredentials
        if token == "crash":
            raise ZeroDivisionError
        if token != "good":
            raise InvalidToken
        return principal_from_claims({"sub": "7", "role": "authenticated"})

    def opened(self, socket: Socket, handshake: Handshake, resumed: Resumed | None) -> None:
        """Remember the socket, and what it goes on with."""
        self.resumptions.append(resumed)
        self.opened_sockets.append(socket)

    async def receive(self, socket: Socket, message: Incoming) -> Acknowledgement | None:
        """Do what the event's name says."""
        self.received.append(message)
        answering = self.answering.get(message.event)
        return None if answering is None else await answering(socket, message)

    def refused(self, socket: Socket, refusal: Refusal) -> None:
        """Tell the client."""
        self.refusals.append(refusal)
        socket.emit("refused", {"code": refusal.code})

    def closed(self, socket: Socket, reason: CloseReason) -> None:
        """Remember the end."""
        self.closings.append((socket, reason))

    def forget(self) -> None:
        """Remember nothing of the past."""
        for past in (self.handshakes, self.received, self.opened_sockets, self.closings, self.refusals):
            past.clear()

    @property
    def reasons(self) -> list[CloseReason]:
        """Why sockets were closed, in their order."""
        return [reason for _, reason in self.closings]

    async def _echo(self, socket: Socket, message: Incoming) -> Acknowledgement:
        if not message.wants_ack:
            socket.emit("echo", *message.arguments)
        return Acknowledgement(message.arguments)

    async def _join(self, socket: Socket, message: Incoming) -> Acknowledgement:
        self.sockets.join(socket, str(message.arguments[0]))
        return Acknowledgement(("joined",))

    async def _leave(self, socket: Socket, message: Incoming) -> Acknowledgement:
        self.sockets.leave(socket, str(message.arguments[0]))
        return Acknowledgement(("left",))

    async def _say(self, _socket: Socket, message: Incoming) -> Acknowledgement:
        room, *said = message.arguments
        return Acknowledgement((self.sockets.broadcast(str(room), "said", *said),))

    async def _ask(self, socket: Socket, message: Incoming) -> Acknowledgement:
        return Acknowledgement(await socket.ask("question", *message.arguments, within=1))

    async def _boom(self, _socket: Socket, _message: Incoming) -> Acknowledgement:
        raise ZeroDivisionError

    async def _kick(self, socket: Socket, _message: Incoming) -> None:
        socket.close(CloseReason.REVOKED, "out")


class RememberingSocket(Socket):
    """A client's end without a wire, for tests that say what it remembers: it reads at once, and answers nothing."""

    __slots__ = ()

    @property
    @override
    def is_behind(self) -> bool:
        return False

    @override
    async def ask(self, event: str, *arguments: object, within: float = 10.0) -> tuple[object, ...]:
        raise NotAcknowledged(event=event)


class Served:
    """A running server with an open hall at `/socket.io/` and one at `/ws/plain` that wants a token."""

    def __init__(self, server: Server, house: SmallHouse, sockets: Sockets, hall: Hall, plain: Hall) -> None:
        self.server = server
        self.house = house
        self.sockets = sockets
        self.hall = hall
        self.plain = plain
        self.port = int(server.url.rpartition(":")[2])
        self.clients: list[Client | Poller] = []

    async def upgrade(self, target: str, **headers: str) -> tuple[int, "Client"]:
        """Ask for a WebSocket; the status, and the client who speaks on it."""
        status, client = await upgraded(self.port, target, **headers)
        self.clients.append(client)
        return status, client

    async def wire(self) -> "Client":
        """A connection on which nothing is said yet."""
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self.clients.append(client)
        return client

    async def plain_client(self, query: str = "?token=good") -> "Client":
        """A client of the plain socket."""
        status, client = await self.upgrade(PLAIN_PATH + query)
        assert status == 101
        return client

    async def client(self, auth: object = None, *, connect: bool = True) -> "Client":
        """A client of Socket.IO by WebSocket, connected."""
        status, client = await self.upgrade(f"{SOCKET_PATH}?EIO=4&transport=websocket")
        assert status == 101
        assert (await client.text()).startswith("0{")
        if connect:
            client.send_text("40" + ("" if auth is None else json.dumps(auth)))
            assert (await client.text()).startswith('40{"sid":')
        return client

    async def poller(self, *, connect: bool = True) -> "Poller":
        """A client of Socket.IO that polls, connected."""
        poller = Poller(self.port)
        self.clients.append(poller)
        await poller.open()
        if connect:
            await poller.post("40")
            assert (await poller.get()).startswith('40{"sid":')
        return poller


class Client:
    """The client's end of a WebSocket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.head = ""

    def send(self, kind: int, payload: bytes, *, final: bool = True, reserved: int = 0) -> None:
        """Send a frame."""
        self.writer.write(frame(kind, payload, final=final, reserved=reserved))

    def send_text(self, text: str) -> None:
        """Send a text message."""
        self.send(TEXT, text.encode())

    async def frame(self) -> tuple[int, bytes]:
        """The next frame: its kind and its payload; raises `IncompleteReadError` at the connection's end."""
        async with asyncio.timeout(30):
            first, second = await self.reader.readexactly(2)
            size = second
            if size == 126:
                size = int.from_bytes(await self.reader.readexactly(2), "big")
            elif size == 127:
                size = int.from_bytes(await self.reader.readexactly(8), "big")
            return first & 15, await self.reader.readexactly(size)

    async def text(self) -> str:
        """The next frame, a text."""
        kind, payload = await self.frame()
        assert kind == TEXT, (kind, payload)
        return payload.decode()

    async def json(self) -> Any:
        """The next frame, a JSON text."""
        return json.loads(await self.text())

    async def closing(self) -> tuple[int, str]:
        """The code and the reason of the close frame that comes next but for texts."""
        while True:
            kind, payload = await self.frame()
            if kind == CLOSE:
                return int.from_bytes(payload[:2], "big"), payload[2:].decode()

    async def ended(self) -> bytes:
        """Everything until the connection ends."""
        async with asyncio.timeout(30):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            return


async def upgraded(port: int, target: str, **headers: str) -> tuple[int, Client]:
    """Ask a server of this machine for a WebSocket; the status, and the client who speaks on it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    told = {
        "Host": "here",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    client = Client(reader, writer)
    writer.write(f"GET {target} HTTP/1.1\r\n{lines}\r\n".encode())
    try:
        client.head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)).decode("latin-1")
    except BaseException:
        writer.close()
        raise
    return int(client.head.split()[1]), client


class Poller:
    """A client that polls."""

    def __init__(self, port: int) -> None:
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5, verify=False)
        self.sid = ""

    @property
    def query(self) -> dict[str, str]:
        """What every request says."""
        return {"EIO": "4", "transport": "polling", **({"sid": self.sid} if self.sid else {})}

    async def open(self) -> dict[str, Any]:
        """Open a session; what the server says of it."""
        text = await self.get()
        assert text.startswith("0{")
        told: dict[str, Any] = json.loads(text[1:])
        self.sid = told["sid"]
        return told

    async def get(self, status: int = 200) -> str:
        """Poll once."""
        answer = await self.http.get(SOCKET_PATH, params=self.query)
        assert answer.status_code == status, answer.text
        return answer.text

    async def post(self, *packets: str, status: int = 200) -> str:
        """Send packets."""
        answer = await self.http.post(SOCKET_PATH, params=self.query, content="\x1e".join(packets).encode())
        assert answer.status_code == status, answer.text
        return answer.text

    async def close(self) -> None:
        """Hang up."""
        await self.http.aclose()


def frame(kind: int, payload: bytes, *, final: bool = True, reserved: int = 0, masked: bool = True) -> bytes:
    """A client's frame."""
    size, mask = len(payload), os.urandom(4)
    bit = 0x80 if masked else 0
    head = bytes(((0x80 if final else 0) | reserved << 4 | kind,))
    if size < 126:
        head += bytes((bit | size,))
    elif size < 65536:
        head += bytes((bit | 126,)) + size.to_bytes(2, "big")
    else:
        head += bytes((bit | 127,)) + size.to_bytes(8, "big")
    if not masked:
        return head + payload
    pattern = (mask * (size // 4 + 1))[:size]
    return head + mask + (int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")).to_bytes(size, "big")


@asynccontextmanager
async def served(
    settings: SocketSettings | None = None,
    server_settings: ServerSettings | None = None,
    form: PlainSocket | None = None,
    observer: Observer | None = None,
    member: tuple[Path, int] | None = None,
) -> AsyncGenerator[Served]:
    """A server on a free port of 127.0.0.1, for the length of a block.

    As a `member` it is one of a crew: the folder where they meet, and its number.
    """
    house = SmallHouse()
    siblings = None if member is None else Siblings(*member, house.observer)
    home = "" if member is None else str(member[1])
    sockets = Sockets(settings or SocketSettings(), observer or house.observer, home)
    hall, plain = Hall(sockets), Hall(sockets, open_to_all=False)
    sockets.open_door(SOCKET_PATH, hall)
    sockets.open_door(PLAIN_PATH, plain, form or PlainSocket(path=PLAIN_PATH))
    lay_polling(house.routes, sockets, (), ())
    server = Server(house, server_settings or ServerSettings(port=0, stop_within=1), (), sockets, siblings)
    house.application = server.application
    await sockets.start()
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done(), task.exception()
        await asyncio.sleep(0.005)
    running = Served(server, house, sockets, hall, plain)
    try:
        async with nullcontext() if siblings is None else siblings.taken_in(server.adopt):
            yield running
    finally:
        for client in running.clients:
            await client.close()
        server.stop()
        await task


async def until(fact: Callable[[], object], seconds: float = 30.0) -> None:
    """Return once `fact()` is true; an `AssertionError` after so many seconds."""
    end = asyncio.get_running_loop().time() + seconds
    while not fact():
        assert asyncio.get_running_loop().time() < end, "it did not come true"
        await asyncio.sleep(0.005)
