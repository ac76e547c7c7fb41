"""A socket that speaks Socket.IO 5 over Engine.IO 4, by WebSocket or by polling."""

import asyncio
from collections.abc import Mapping
from typing import cast

import msgspec
from typing_extensions import override

from headwater.kernel.errors import Refusal
from headwater.kernel.sockets.attended import AttendedSocket, Keeper
from headwater.kernel.sockets.errors import MalformedMessage, NotAcknowledged
from headwater.kernel.sockets.frames import text_frame
from headwater.kernel.sockets.models import CloseReason, Handshake, Incoming
from headwater.kernel.sockets.packets import Bundle, Packet
from headwater.kernel.sockets.polling import Queue
from headwater.kernel.sockets.reading import ClientPacket, Kind, read_packet
from headwater.kernel.sockets.reception import Reception
from headwater.kernel.sockets.wire import Wire

_BEAT = text_frame(b"2")
_MOST_KNOCKS = 5
_NONE_ASKED: dict[int, asyncio.Future[tuple[object, ...]]] = {}
"""What every socket holds that has asked its client nothing: most never do."""


class EngineSocket(AttendedSocket):
    """One client of Socket.IO.

    An Engine.IO session and the socket of its only namespace are one thing here. `sid` names the session, and whoever
    knows it can poll in its place; `id`, which others may know, is another.
    """

    __slots__ = ("_asked", "_coming", "_handshake", "_knocks", "_number", "_parts", "queue", "sid")

    def __init__(
        self, keeper: Keeper, reception: Reception, handshake: Handshake, carrier: Wire | Queue, sid: str
    ) -> None:
        super().__init__(keeper, reception, handshake.path, handshake.address)
        self.sid = sid
        self.queue = carrier if isinstance(carrier, Queue) else None
        self.wire = carrier if isinstance(carrier, Wire) else None
        self._handshake: Handshake | None = handshake
        self._knocks = 0
        self._coming: ClientPacket | None = None
        self._parts: list[bytes] = []
        self._asked: dict[int, asyncio.Future[tuple[object, ...]]] = _NONE_ASKED
        self._number = 0
        self._write(self._opening(upgrades=self.queue is not None))

    def _opening(self, *, upgrades: bool) -> str:
        settings = self._keeper.settings
        told = {
            "sid": self.sid,
            "upgrades": ["websocket"] if upgrades else [],
            "pingInterval": round(settings.ping_interval * 1000),
            "pingTimeout": round(settings.ping_timeout * 1000),
            "maxPayload": settings.polling_bytes,
        }
        return "0" + msgspec.json.encode(told).decode()

    @property
    @override
    def is_behind(self) -> bool:
        if self.wire is not None:
            return self.wire.is_behind(self._keeper.settings.write_buffer)
        return self.queue is not None and self.queue.is_behind(self._keeper.settings)

    @override
    def deliver(self, bundle: Bundle) -> None:
        if self.queue is None:
            super().deliver(bundle)
        else:
            self.queue.add([payload for packet in bundle.packets for payload in packet.payloads])
            self._must_not_overflow(self.queue)

    @override
    def beat(self) -> None:
        if self.wire is not None:
            self.wire.write(_BEAT)
        else:
            self._write("2")

    @override
    async def ask(self, event: str, *arguments: object, within: float = 10.0) -> tuple[object, ...]:
        if not self.connected:
            raise NotAcknowledged(event=event)
        number, self._number = self._number, self._number + 1
        if self._asked is _NONE_ASKED:
            self._asked = {}
        answered = self._asked[number] = asyncio.get_running_loop().create_future()
        self.send(Packet(event, arguments, number))
        try:
            async with asyncio.timeout(within):
                return await answered
        except TimeoutError as failure:
            raise NotAcknowledged(event=event) from failure
        finally:
            self._asked.pop(number, None)

    def take_text(self, text: str) -> None:
        """An Engine.IO packet has come."""
        self.silent = 0
        if self._reason is not None or not self._may_send():
            return
        match text[:1]:
            case "4":
                try:
                    self._take_packet(text[1:])
                except MalformedMessage as refusal:
                    self.end(CloseReason.MALFORMED, refusal.message)
            case "3" | "6":
                pass
            case "1":
                self.end(CloseReason.CLIENT)
            case _:
                self.end(CloseReason.MALFORMED)

    def take_binary(self, content: bytes) -> None:
        """An attachment of the packet before has come."""
        self.silent = 0
        if self._reason is not None:
            return
        coming = self._coming
        if coming is None:
            self.end(CloseReason.MALFORMED)
            return
        self._parts.append(content)
        if sum(map(len, self._parts)) > self._keeper.settings.frame_bytes:
            self.end(CloseReason.OVERSIZED)
        elif len(self._parts) == coming.attachments:
            self._complete(coming)

    def take_sign(self) -> None:
        """The client has said no more than that it is there."""
        self.silent = 0
        self._may_send()

    def _take_packet(self, text: str) -> None:
        packet = read_packet(text)
        if self._coming is not None:
            raise MalformedMessage(reason="The attachments of the packet before are missing")
        if not packet.is_in_root:
            if packet.kind is not Kind.CONNECT:
                raise MalformedMessage(reason="A packet of a namespace that was not opened")
            self._refuse_namespace(packet.namespace)
        elif packet.kind is Kind.CONNECT:
            self._knock(packet)
        elif packet.kind is Kind.DISCONNECT:
            self.end(CloseReason.CLIENT)
        elif packet.attachments:
            self._coming = packet
        else:
            self._take_whole(packet, packet.arguments())

    def _complete(self, packet: ClientPacket) -> None:
        parts, self._parts, self._coming = self._parts, [], None
        try:
            self._take_whole(packet, packet.arguments(parts))
        except MalformedMessage as refusal:
            self.end(CloseReason.MALFORMED, refusal.message)

    def _take_whole(self, packet: ClientPacket, arguments: list[object]) -> None:
        if packet.kind in (Kind.ACK, Kind.BINARY_ACK):
            answered = self._asked.get(cast("int", packet.id))
            if answered is not None and not answered.done():
                answered.set_result(tuple(arguments))
            return
        if not self.admitted and not self._knocks:
            raise MalformedMessage(reason="An event before CONNECT")
        event, *rest = arguments
        self._attend(Incoming(cast("str", event), tuple(rest), packet.id, packet.may_hold_nul))

    def _knock(self, packet: ClientPacket) -> None:
        if self._handshake is None or self._knocks > _MOST_KNOCKS:
            raise MalformedMessage(reason="CONNECT once too often")
        self._knocks += 1
        auth = cast("Mapping[str, object] | None", packet.content)
        self._attend(msgspec.structs.replace(self._handshake, auth=auth))

    @override
    def _welcome(self, secret: str | None) -> None:
        self._handshake = None
        told = {"sid": self.id} if secret is None else {"sid": self.id, "pid": secret}
        self._write("40" + msgspec.json.encode(told).decode())

    @override
    def _turn_away(self, handshake: Handshake, refusal: Refusal) -> None:
        told = {"message": refusal.message, "data": {"code": refusal.code}}
        self._write("44" + msgspec.json.encode(told).decode())

    def _refuse_namespace(self, namespace: str) -> None:
        self._write(f'44{namespace},{{"message":"Invalid namespace"}}')

    def _write(self, packet: str) -> None:
        """Write an Engine.IO packet that no broadcast can stand before."""
        if self.wire is not None:
            self.wire.write(text_frame(packet.encode()))
        elif self.queue is not None:
            self.queue.add((packet,))
            self._must_not_overflow(self.queue)

    def _must_not_overflow(self, queue: Queue) -> None:
        if queue.overflows(self._keeper.settings):
            self.end(CloseReason.SLOW)

    @override
    def _hang_up(self, reason: CloseReason, message: str) -> None:
        if self.admitted and reason.is_final:
            self._write("41")
        if self.wire is not None:
            self.wire.close(reason.code, message)
        elif self.queue is not None:
            self.queue.end()
        self._handshake = self._coming = None
        self._parts = []
        for answered in self._asked.values():
            if not answered.done():
                answered.set_exception(TimeoutError())

    @override
    def _pause_reading(self, *, paused: bool) -> None:
        if self.wire is not None:
            self.wire.pause_reading(paused=paused)
        elif self.queue is not None:
            self.queue.hold(held=paused)

    def move_to(self, wire: Wire) -> None:
        """Go on by WebSocket, with everything that still waits."""
        queue, self.queue = self.queue, None
        self.wire = wire
        wire.owner = self
        if queue is not None:
            wire.write(queue.frames())
            queue.end(silently=True)
        self._keeper.moved(self)
        if self._reason is not None:  # it has ended in the middle of the upgrade: what was said last has left now
            wire.close(self._reason.code)


class Probe:
    """A WebSocket that is tried by a client that polls (Engine.IO protocol 4, "Upgrade")."""

    __slots__ = ("_moved", "_socket", "_wire")

    def __init__(self, socket: EngineSocket, wire: Wire) -> None:
        self._moved = False
        self._socket = socket
        self._wire = wire

    def take_text(self, text: str) -> None:
        """`2probe` is answered; `5` moves the socket to this wire."""
        queue = self._socket.queue
        if queue is None:
            self._wire.close(CloseReason.MALFORMED.code)
        elif text == "2probe" and not queue.upgrading and self._socket.connected:
            queue.upgrading = True
            self._wire.write(text_frame(b"3probe"))
            queue.hurry()
        elif text == "5" and queue.upgrading:
            self._moved = True
            self._socket.move_to(self._wire)
        else:
            self._wire.close(CloseReason.MALFORMED.code)
            self.end(CloseReason.MALFORMED)

    def take_binary(self, _content: bytes) -> None:
        """Nothing binary is said here."""
        self._wire.close(CloseReason.MALFORMED.code)
        self.end(CloseReason.MALFORMED)

    def take_sign(self) -> None:
        """A probe is short: its deadline stands."""

    def give_up(self) -> None:
        """The trial takes too long."""
        if not self._moved:
            self._wire.close(CloseReason.UNADMITTED.code)
            self.end(CloseReason.UNADMITTED)

    def end(self, _reason: CloseReason) -> None:
        """The trial failed: the client goes on polling."""
        if self._socket.queue is not None:
            self._socket.queue.upgrading = False
