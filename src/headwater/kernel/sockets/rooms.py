"""Who is in which room, and how what is told there reaches everybody in order."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet

from headwater.kernel.sockets.declarations import PlainSocket
from headwater.kernel.sockets.packets import Bundle, Packet
from headwater.kernel.sockets.socket import Socket

AT_ONCE = 500
"""Sockets written to in one turn of the loop: about 3 ms, during which nobody else is served."""
_MOST_TURNS = 4
"""Turns of the loop that a burst waits while more joins it: most of a write's cost is not its length (ADR 75)."""
_NOBODY: frozenset[Socket] = frozenset()


class _Room:
    """The members of a room; `crowd` is them as of the last broadcast, and `open` the burst that more can join."""

    __slots__ = ("crowd", "members", "open")

    def __init__(self) -> None:
        self.members: set[Socket] = set()
        self.crowd: tuple[Socket, ...] | None = None
        self.open: _Burst | None = None

    def change(self) -> None:
        """What is told from now on goes to others than what was told before."""
        self.crowd = self.open = None


class _Burst:
    """Packets that go to the same sockets, one after the other; `spared` get none of them."""

    __slots__ = ("at", "bundle", "crowd", "rooms", "seen", "spared", "turns")

    def __init__(self, rooms: tuple[str, ...], crowd: tuple[Socket, ...], besides: Socket | None) -> None:
        self.rooms = rooms
        self.crowd = crowd
        self.bundle = Bundle()
        self.at = 0
        self.seen = 1
        self.turns = 0
        self.spared: set[Socket] | None = None if besides is None else {besides}

    @property
    def whose(self) -> tuple[str, ...] | tuple[Socket, ...]:
        """The rooms it goes to, or the one socket."""
        return self.rooms or self.crowd

    def grows(self) -> bool:
        """Whether more has joined it since it was last looked at, and so still more may in the next turn."""
        grown = len(self.bundle.packets) > self.seen and self.turns < _MOST_TURNS
        self.seen = len(self.bundle.packets)
        self.turns += 1
        return grown

    def write(self, most: int, blame: Callable[[BaseException], None]) -> int:
        """Bring the bundle to so many more sockets; to how many it was. What fails for one is no other's loss."""
        part = self.crowd[self.at : self.at + most]
        self.at += len(part)
        bundle, spared = self.bundle, self.spared
        form: PlainSocket | None = None
        frames = b""
        for socket in part:
            if spared is not None and socket in spared:
                continue
            try:
                wire = socket.wire
                if wire is None:
                    socket.deliver(bundle)
                elif wire.open:  # as `deliver` does, without two calls for each of thousands
                    if not frames or socket.form is not form:
                        form = socket.form
                        frames = bundle.frames_for(form)
                    wire.transport.write(frames)
            except Exception as failure:  # noqa: BLE001 - whatever it is, the others are waiting
                blame(failure)
        return len(part)


class Rooms:
    """The rooms of this process.

    What is broadcast is written after the loop's turn, so that what one turn tells one room is joined into one write
    for each socket, in parts of `AT_ONCE` sockets a turn; where several are joined, the next turns' join them too. It
    goes to those who are in the room when it is told.
    A socket gets everything in the order it was told, alone or with others. `blame` hears of what nobody foresaw.
    """

    def __init__(self, blame: Callable[[BaseException], None]) -> None:
        self._blame = blame
        self._rooms: dict[str, _Room] = {}
        self._bursts: deque[_Burst] = deque()
        self._awaited: dict[str | Socket, int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def waiting(self) -> int:
        """Bursts that are told and not yet written to everybody."""
        return len(self._bursts)

    def join(self, socket: Socket, room: str) -> None:
        """Bring the socket what is told in the room from now on."""
        if socket.connected and socket.joined(room):
            place = self._rooms.get(room)
            if place is None:
                place = self._rooms[room] = _Room()
            place.members.add(socket)
            place.change()

    def leave(self, socket: Socket, room: str) -> None:
        """Bring the socket nothing more of the room, not even what is told and not yet written."""
        if socket.left(room):
            self._remove(socket, room)
            self._spare(socket, room)

    def withdraw(self, socket: Socket) -> None:
        """Bring the socket nothing more, and take it out of every room."""
        for room in tuple(socket.rooms):
            socket.left(room)
            self._remove(socket, room)

    def rearrange(self, room: str) -> None:
        """A member of the room is carried by something else from now on."""
        self._rooms[room].change()

    def members(self, room: str) -> AbstractSet[Socket]:
        """Who is in a room."""
        place = self._rooms.get(room)
        return _NOBODY if place is None else place.members

    def broadcast(self, room: str, packet: Packet, besides: Socket | None = None) -> int:
        """Bring a packet to everyone in the room, `besides` one; how many they are.

        Raises `TypeError` for arguments that are no JSON, also where nobody is.
        """
        packet.encode()
        place = self._rooms.get(room)
        if place is None:
            return 0
        burst = place.open
        if burst is None or besides is not None or self._bursts[-1] is not burst:
            if place.crowd is None:
                place.crowd = tuple(place.members)
            burst = _Burst((room,), place.crowd, besides)
            place.open = burst if besides is None else None
            self._add(burst)
        burst.bundle.add(packet)
        return len(burst.crowd) - (besides in place.members)

    def broadcast_to_all(self, rooms: Collection[str], packet: Packet) -> int:
        """Bring a packet to everyone who is in any of the rooms, once; how many they are.

        Who leaves some of them before it is written gets it all the same, if he stays in another. Raises `TypeError`.
        """
        packet.encode()
        inhabited = tuple(room for room in dict.fromkeys(rooms) if room in self._rooms)
        if len(inhabited) <= 1:
            return sum(self.broadcast(room, packet) for room in inhabited)
        burst = _Burst(inhabited, tuple(set[Socket]().union(*map(self.members, inhabited))), None)
        burst.bundle.add(packet)
        self._add(burst)
        return len(burst.crowd)

    def dispatch(self, socket: Socket, packet: Packet) -> None:
        """Bring a packet to one socket, behind all that is told and not yet written to it.

        Raises `TypeError` for arguments that are no JSON.
        """
        packet.encode()
        if not self._bursts or not self._has_more_for(socket):
            socket.deliver(Bundle(packet))
            return
        last = self._bursts[-1]
        if last.rooms or last.crowd[0] is not socket:
            last = _Burst((), (socket,), None)
            self._add(last)
        last.bundle.add(packet)

    def write_now(self, socket: Socket) -> None:
        """Write at once what is told and not yet written to this socket, for one that is about to end."""
        if self._bursts and self._has_more_for(socket):
            for burst in self._bursts:
                spared = burst.spared or _NOBODY
                if socket not in spared and socket in burst.crowd[burst.at :]:
                    socket.deliver(burst.bundle)
                    burst.spared = {*spared, socket}
                    self._close(burst)

    def _has_more_for(self, socket: Socket) -> bool:
        return socket in self._awaited or not self._awaited.keys().isdisjoint(socket.rooms)

    def _add(self, burst: _Burst) -> None:
        if not self._bursts:
            if self._loop is None:
                self._loop = asyncio.get_running_loop()
            self._loop.call_soon(self._flush)
        self._bursts.append(burst)
        for whose in burst.whose:
            self._awaited[whose] = self._awaited.get(whose, 0) + 1

    def _flush(self) -> None:
        left = AT_ONCE
        while self._bursts and left > 0:
            burst = self._bursts[0]
            if burst is self._bursts[-1] and burst.grows():
                break
            self._close(burst)
            left -= max(burst.write(left, self._blame), 1)
            if burst.at >= len(burst.crowd):
                self._bursts.popleft()
                for whose in burst.whose:
                    self._awaited[whose] -= 1
                    if not self._awaited[whose]:
                        del self._awaited[whose]
        if self._bursts and self._loop is not None:
            self._loop.call_soon(self._flush)

    def _close(self, burst: _Burst) -> None:
        """Let nothing more join a burst."""
        place = self._rooms.get(burst.rooms[0]) if burst.rooms else None
        if place is not None and place.open is burst:
            place.open = None

    def _remove(self, socket: Socket, room: str) -> None:
        place = self._rooms[room]
        place.members.discard(socket)
        place.change()
        if not place.members:
            del self._rooms[room]

    def _spare(self, socket: Socket, room: str) -> None:
        for burst in self._bursts:
            if room in burst.rooms and socket.rooms.isdisjoint(burst.rooms):
                burst.spared = {*(burst.spared or ()), socket}
