"""Sockets: Engine.IO, Socket.IO and plain JSON over WebSocket and polling; rooms, and joined writes."""

from headwater.kernel.sockets.declarations import (
    PLATFORM_SOCKET_ENVELOPE,
    SOCKET_IO_PATH,
    Acknowledged,
    FromSocket,
    PlainSocket,
    PlatformSocketEnvelope,
    SocketEnvelope,
    SocketMessage,
    Told,
)
from headwater.kernel.sockets.errors import MalformedMessage, NotAcknowledged, TooManyMessages
from headwater.kernel.sockets.models import (
    Acknowledgement,
    Admission,
    Carrier,
    CloseReason,
    Handshake,
    Incoming,
    Resumed,
    SocketSettings,
    Underway,
)
from headwater.kernel.sockets.own_rooms import OwnRooms, must_be_owner, own_room
from headwater.kernel.sockets.packets import Packet
from headwater.kernel.sockets.reading import RESERVED
from headwater.kernel.sockets.reception import Reception
from headwater.kernel.sockets.socket import Socket
from headwater.kernel.sockets.sockets import Sockets

__all__ = [
    "PLATFORM_SOCKET_ENVELOPE",
    "RESERVED",
    "SOCKET_IO_PATH",
    "Acknowledged",
    "Acknowledgement",
    "Admission",
    "Carrier",
    "CloseReason",
    "FromSocket",
    "Handshake",
    "Incoming",
    "MalformedMessage",
    "NotAcknowledged",
    "OwnRooms",
    "Packet",
    "PlainSocket",
    "PlatformSocketEnvelope",
    "Reception",
    "Resumed",
    "Socket",
    "SocketEnvelope",
    "SocketMessage",
    "SocketSettings",
    "Sockets",
    "Told",
    "TooManyMessages",
    "Underway",
    "must_be_owner",
    "own_room",
]
