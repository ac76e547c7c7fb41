"""A Socket.IO client that polls through the door of a house, for flows that begin at a socket."""

import asyncio
from typing import Any

import msgspec

from headwater.flow import Request, answer
from headwater.kernel.sockets import Packet, Socket, Sockets
from tests.kit.door import Door, sent

PATH = "/socket.io/"


class Client:
    """One connection; `heard` is every packet that came, in their order."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._query = "EIO=4&transport=polling"
        self.heard: list[str] = []

    async def open(self) -> None:
        """Open a session; nobody is let in yet."""
        told = await self._poll()
        self._query += f"&sid={msgspec.json.decode(told[0][1:])['sid']}"

    async def say(self, packet: str) -> None:
        """Send a packet of Socket.IO."""
        assert await self._ask("POST", f"4{packet}".encode()) == "ok"

    async def hears(self, beginning: str, within: float = 5.0) -> Any:
        """What stands behind such a packet's beginning, once it has come; it may be there already."""
        async with asyncio.timeout(within):
            while True:
                for packet in self.heard:
                    if packet.startswith(beginning):
                        self.heard.remove(packet)
                        return msgspec.json.decode(packet[len(beginning) :])
                self.heard += [packet[1:] for packet in await self._poll() if packet.startswith("4")]

    async def hears_event(self, event: str) -> list[Any]:
        """An event and its arguments, once it has come; others before it are passed over."""
        while True:
            told = await self.hears("2")
            if told[0] == event:
                return told

    async def _poll(self) -> list[str]:
        return (await self._ask("GET", b"")).split("\x1e")

    async def _ask(self, method: str, body: bytes) -> str:
        request = Request(method, PATH, self._query, {}, "127.0.0.1", sent(body))
        response = await answer(self._door.house, request)
        assert response.status == 200, response.body
        if response.sent is not None:
            response.sent(True)
        return response.body.decode()


async def connected(door: Door, token: str) -> Client:
    """A client that was let in."""
    client = Client(door)
    await client.open()
    await client.say(f'0{{"token":"{token}"}}')
    await client.hears("0")
    return client


def joined(_sockets: Sockets, _socket: Socket, room: str) -> str:
    """A step of a trace: a socket joins a room."""
    return f"join: {room}"


def emitted(_socket: Socket, event: str, *_arguments: object) -> str:
    """A step of a trace: one socket is told an event."""
    return f"emit: {event}"


def broadcast(_sockets: Sockets, room: str, _packet: Packet, **_options: object) -> str:
    """A step of a trace: a room is told an event."""
    return f"broadcast: {room}"
