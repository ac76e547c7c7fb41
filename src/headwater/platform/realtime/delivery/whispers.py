"""Ephemeral messages: for who listens now, on any node, and never in the log."""

from datetime import datetime
from uuid import UUID

import msgspec

from headwater.kernel.bus import Bus, Nodes, Tasks
from headwater.kernel.observe import Observer
from headwater.kernel.sockets import Sockets
from headwater.platform.realtime.delivery.frames import Meta, moment, room_of, with_meta
from headwater.platform.realtime.models import NewMessage

TOPIC = "realtime.whispers"


class Whisper(msgspec.Struct, frozen=True, array_like=True):
    """An ephemeral message; `payload` is the text of a JSON object."""

    id: UUID
    channel: str
    event: str
    payload: str
    sender_type: str
    sender_id: str | None
    at: str

    @classmethod
    def of(cls, message: NewMessage, now: datetime) -> "Whisper":
        """A message that is not to be logged."""
        return cls(
            message.id,
            message.channel,
            message.event,
            message.payload,
            message.sender_type,
            message.sender_id,
            moment(now),
        )


class Whispers:
    """Carries ephemeral messages to every node. One that is cut off misses them: nothing brings them back."""

    def __init__(self, bus: Bus, nodes: Nodes, sockets: Sockets, observer: Observer) -> None:
        self._bus = bus
        self._nodes = nodes
        self._sockets = sockets
        self._tasks = Tasks("realtime whispers", observer)
        bus.subscribe(TOPIC, self._hear)

    def tell(self, whisper: Whisper) -> None:
        """Tell whoever listens; nobody waits until the other nodes have it."""
        if len(self._nodes.live) == 1:
            self._broadcast(whisper)
        else:
            self._tasks.start(self._bus.publish(TOPIC, msgspec.json.encode(whisper)))

    async def stop(self) -> None:
        """Send what waits."""
        await self._tasks.stop(patience=1.0)

    def _hear(self, message: bytes) -> None:
        self._broadcast(msgspec.json.decode(message, type=Whisper))

    def _broadcast(self, whisper: Whisper) -> None:
        if self._nodes.cut_off:  # somebody's access may have ended without our hearing
            return
        meta = Meta(
            channel=room_of(whisper.channel),
            message_id=str(whisper.id),
            sender_type=whisper.sender_type,
            sender_id=whisper.sender_id,
            timestamp=whisper.at,
        )
        self._sockets.broadcast(room_of(whisper.channel), whisper.event, with_meta(whisper.payload, meta))
