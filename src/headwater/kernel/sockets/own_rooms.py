"""Rooms of one component, which no other can mean."""

from collections.abc import Set as AbstractSet

from headwater.kernel.sockets.packets import Packet
from headwater.kernel.sockets.socket import Socket
from headwater.kernel.sockets.sockets import Sockets

SEPARATOR = ":"
"""Stands in no component's name: so no two of them can mean one room."""
_OF_THE_HOUSE = frozenset({"user", "role"})


def own_room(owner: str, room: str) -> str:
    """What a component's room is called among those of all."""
    return owner + SEPARATOR + room


def must_be_owner(name: str) -> None:
    """Raise `ValueError` for what no component can be named, because the house's own rooms begin so."""
    if SEPARATOR in name or name in _OF_THE_HOUSE or not name:
        raise ValueError(f"No component can be named {name!r}: the house's own rooms are called so")


class OwnRooms:
    """The sockets of this process, in the rooms of one component.

    Whatever the component calls a room, even by a name that a client chose, it is none of another component's, none of
    a realtime channel, and none of those in which users and roles are told what is theirs. It is the same room for
    every path at which the component is served.
    """

    def __init__(self, sockets: Sockets, owner: str) -> None:
        must_be_owner(owner)
        self._sockets = sockets
        self._owner = owner

    def join(self, socket: Socket, room: str) -> None:
        """From now on the socket gets what the room is told; one that is gone joins nothing."""
        self._sockets.join(socket, own_room(self._owner, room))

    def leave(self, socket: Socket, room: str) -> None:
        """From now on the socket gets nothing more of the room, not even what was told and not yet written."""
        self._sockets.leave(socket, own_room(self._owner, room))

    def members(self, room: str) -> AbstractSet[Socket]:
        """Who is in a room now."""
        return self._sockets.members(own_room(self._owner, room))

    def broadcast(self, room: str, event: str, *arguments: object, besides: Socket | None = None) -> int:
        """Tell everyone who is in the room now, `besides` one; how many they are."""
        return self._sockets.broadcast(own_room(self._owner, room), event, *arguments, besides=besides)

    def broadcast_packet(self, room: str, packet: Packet, besides: Socket | None = None) -> int:
        """Send a packet to everyone who is in the room now, `besides` one; how many they are."""
        return self._sockets.broadcast_packet(own_room(self._owner, room), packet, besides)

    def __len__(self) -> int:
        """How many sockets this process has, in whatever rooms."""
        return len(self._sockets)
