"""Every socket of this process: who lets them in, what they are told, and how they end."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet

from headwater.kernel.models import RawRequest, Reply
from headwater.kernel.observe import Observer
from headwater.kernel.sockets.declarations import PlainSocket
from headwater.kernel.sockets.doors import UNKNOWN_TRANSPORT, Door, Entrance, home_of, named, queried
from headwater.kernel.sockets.models import CloseReason, Handshake, SocketSettings
from headwater.kernel.sockets.packets import Packet
from headwater.kernel.sockets.reception import Reception
from headwater.kernel.sockets.registry import Registry
from headwater.kernel.sockets.sessions import Sessions
from headwater.kernel.sockets.socket import Socket
from headwater.kernel.sockets.upgrade import answer_to
from headwater.kernel.sockets.wire import Wire

_LOOK_EVERY = 0.02


class Sockets:
    """Every socket of this process, and the rooms they are in; `home` names it where several share an address."""

    def __init__(self, settings: SocketSettings, observer: Observer, home: str = "") -> None:
        self.settings = settings
        self._registry = Registry(settings, observer)
        self._home = home
        self._sessions = Sessions(self._registry, home)
        self._doors: dict[str, Door] = {}

    def open_door(self, path: str, reception: Reception, plain: PlainSocket | None = None) -> None:
        """Let sockets in at `path`: Socket.IO's, or plain ones of the form `plain`."""
        self._doors[named(path)] = Door(named(path), reception, plain)

    def declared(self, path: str) -> str:
        """The path by which a door was opened; the same for every spelling that leads to it."""
        door = self._doors[named(path)]
        return door.path if door.form is None else door.path.removesuffix("/")

    def elsewhere(self, path: str, query: str) -> str | None:
        """The home of the session that a request is about, if that is not ours."""
        door = self._doors.get(named(path))
        home = "" if door is None or door.form is not None else home_of(queried(query).get("sid", ""))
        return home if home and home != self._home else None

    @property
    def polled_paths(self) -> list[str]:
        """Where requests must be led to `read` (GET) and `write` (POST)."""
        return [path for path, door in self._doors.items() if door.form is None]

    def join(self, socket: Socket, room: str) -> None:
        """From now on the socket gets what the room is told; one that is gone joins nothing."""
        self._registry.join(socket, room)

    def leave(self, socket: Socket, room: str) -> None:
        """From now on the socket gets nothing more of the room, not even what was told and not yet written."""
        self._registry.leave(socket, room)

    def write_now(self, socket: Socket) -> None:
        """Write at once what the socket was told and has not been written yet, alone or in its rooms."""
        self._registry.write_now(socket)

    def members(self, room: str) -> AbstractSet[Socket]:
        """Who is in a room now."""
        return self._registry.members(room)

    def broadcast(self, room: str, event: str, *arguments: object, besides: Socket | None = None) -> int:
        """Tell everyone who is in the room now, `besides` one; how many they are."""
        return self._registry.broadcast(room, Packet(event, arguments), besides)

    def broadcast_packet(self, room: str, packet: Packet, besides: Socket | None = None) -> int:
        """Send a packet to everyone who is in the room now, `besides` one; how many they are."""
        return self._registry.broadcast(room, packet, besides)

    def broadcast_to_all(self, rooms: Collection[str], packet: Packet) -> int:
        """Send a packet to everyone who is in any of the rooms now, once; how many they are."""
        return self._registry.broadcast_to_all(rooms, packet)

    def __iter__(self) -> Iterator[Socket]:
        """Every socket that is let in."""
        return (socket for socket in self._registry if socket.admitted and socket.connected)

    @property
    def closed(self) -> bool:
        """Whether whoever comes is turned away, because the house is closing."""
        return self._sessions.closed

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def entrance(self, path: str, query: str, headers: Mapping[str, str], address: str) -> Entrance | Reply | None:
        """What to do with a WebSocket that is opened at a path, or the answer to whoever must not open one there.

        None where there is no door.
        """
        door = self._doors.get(named(path))
        if door is None:
            return None
        handshake = Handshake(path=path, query=queried(query), headers=headers, address=address)
        return self._sessions.entrance(door, handshake)

    def accept(
        self, transport: asyncio.Transport, key: str, subprotocol: str | None, release: Callable[[], None]
    ) -> Wire:
        """Answer a handshake with this `Sec-WebSocket-Key`: the wire that takes over, for an entrance.

        `release` is called when its connection is no more.
        """
        transport.write(answer_to(key, subprotocol))
        wire = Wire(transport, self._registry, release, self.settings.write_buffer)
        transport.set_protocol(wire)
        return wire

    async def read(self, request: RawRequest) -> Reply:
        """Answer the GET of a client that polls."""
        door = self._doors.get(named(request.path))
        return UNKNOWN_TRANSPORT if door is None else await self._sessions.read(door, request)

    async def write(self, request: RawRequest) -> Reply:
        """Answer the POST of a client that polls."""
        door = self._doors.get(named(request.path))
        return UNKNOWN_TRANSPORT if door is None else await self._sessions.write(door, request)

    async def start(self) -> None:
        """Begin the heartbeats."""
        self._registry.heartbeat.start()

    async def stop(self, farewell: Packet | None = None, patience: float = 2.0) -> None:
        """Say farewell and close every socket; wait until they are gone, for `patience` seconds at most.

        Whoever comes from now on is turned away.
        """
        registry, loop = self._registry, asyncio.get_running_loop()
        self._sessions.closed = True
        for socket in registry:
            if farewell is not None and socket.admitted:
                socket.send(farewell)
            socket.end(CloseReason.SHUTDOWN)
        end = loop.time() + patience
        while (registry.lingering or registry) and loop.time() < end:  # noqa: ASYNC110 - the last one rings no bell
            await asyncio.sleep(_LOOK_EVERY)
        for wire in tuple(registry.lingering):
            wire.abort()
        registry.heartbeat.stop()
        await registry.tasks.stop()
