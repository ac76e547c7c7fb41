"""Ephemeral messages: for who listens now, on any node, and never in the log."""

import asyncio

import msgspec

from headwater.kernel.bus import Bus, Nodes, Tasks
from headwater.kernel.observe import Observer
from headwater.kernel.sockets import Packet, Sockets
from headwater.platform.realtime.delivery.frames import room_of

TOPIC = "realtime.whispers"
LONGEST = 5400
"""Bytes of names and packets that leave together: in base64 they fit into one message of the bus."""
_PAUSE = 0.002
"""Seconds between two that leave; what comes in between is joined, and costs the bus what one costs."""


class _Batch(msgspec.Struct, frozen=True, array_like=True):
    """Whispers of a node in the order they were told: each one's channel, and its packet's text."""

    node: str
    whispers: list[tuple[str, bytes]]


_pack = msgspec.msgpack.Encoder().encode
_read = msgspec.msgpack.Decoder(_Batch).decode


class Whispers:
    """Carries ephemeral messages to every node. One that is cut off misses them: nothing brings them back.

    A message is put in words once; the other nodes hand these on as they are.
    """

    def __init__(self, bus: Bus, nodes: Nodes, sockets: Sockets, observer: Observer) -> None:
        self._bus = bus
        self._nodes = nodes
        self._sockets = sockets
        self._tasks = Tasks("realtime whispers", observer)
        self._waiting: list[tuple[str, bytes]] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | asyncio.Handle | None = None
        self._sent_at = 0.0
        bus.subscribe(TOPIC, self._hear)

    def fits(self, channel: str, packet: Packet) -> bool:
        """Whether a message is short enough to be whispered."""
        return _size_of(channel, packet.encode()) <= LONGEST

    def tell(self, channel: str, packet: Packet) -> None:
        """Tell whoever listens; nobody waits until the other nodes have it."""
        self._broadcast(channel, packet)
        if not self._nodes.alone:
            self._add(channel, packet.encode())

    async def stop(self) -> None:
        """Send what waits."""
        self._send()
        await self._tasks.stop(patience=1.0)

    def _add(self, channel: str, text: bytes) -> None:
        size = _size_of(channel, text)
        if self._size + size > LONGEST:
            self._send()
        self._waiting.append((channel, text))
        self._size += size
        if self._timer is None:
            loop = asyncio.get_running_loop()
            due = self._sent_at + _PAUSE
            self._timer = loop.call_soon(self._send) if due <= loop.time() else loop.call_at(due, self._send)

    def _send(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            self._sent_at = asyncio.get_running_loop().time()
            batch = _Batch(self._nodes.id, self._waiting)
            self._waiting, self._size = [], 0
            self._tasks.start(self._bus.publish(TOPIC, _pack(batch)))

    def _hear(self, message: bytes) -> None:
        batch = _read(message)
        if batch.node != self._nodes.id:
            for channel, text in batch.whispers:
                if self._sockets.members(room_of(channel)):
                    self._broadcast(channel, Packet.read(text))

    def _broadcast(self, channel: str, packet: Packet) -> None:
        if not self._nodes.cut_off:  # else somebody's access may have ended without our hearing
            self._sockets.broadcast_packet(room_of(channel), packet)


def _size_of(channel: str, text: bytes) -> int:
    """At most what a whisper adds to a batch."""
    return len(channel.encode()) + len(text) + 16
