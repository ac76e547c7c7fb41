"""Who hears what on this node."""

import asyncio
from typing import NamedTuple

from headwater.kernel.sockets import Socket
from headwater.platform.realtime.delivery.frames import room_of
from headwater.platform.realtime.rules import source_of
from headwater.platform.realtime.sessions import ListeningSession


class Verdict(NamedTuple):
    """Whether somebody may publish, found in a generation of `Delivery` and good until a time of the house's clock."""

    may: bool
    generation: int
    until: float


class Subscription:
    """One socket's hearing of one channel.

    Everything up to the place `after` has been told, or is not to be. What lies at or before `since` was there before
    the subscription, and is told as replayed. It has `begun` once the client knows of it, and then `ended` one day.
    While its listener is live it is in `room`, where a diversion may bring it together with others. `whispers` is what
    was found when it last published an ephemeral message.
    """

    __slots__ = ("after", "begun", "channel", "ended", "listener", "room", "since", "source", "whispers")

    def __init__(self, listener: "Listener", channel: str, after: int, since: int) -> None:
        self.listener = listener
        self.channel = channel
        self.source = source_of(channel)
        self.room = room_of(channel)
        self.after = after
        self.since = since
        self.begun = False
        self.ended = False
        self.whispers: Verdict | None = None


class Listener:
    """One socket and all it hears.

    `logging` is how many messages it has published to the log that are not placed there yet.
    While it is `live` its channels' rooms bring it everything. Otherwise it is told one message after the other, all
    channels in the order of the log, until nothing is missing.
    """

    __slots__ = ("_idle", "live", "logging", "session", "socket", "streaming", "subscriptions")

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.subscriptions: dict[str, Subscription] = {}
        self.session: ListeningSession | None = None
        self.logging = 0
        self._idle: asyncio.Future[None] | None = None
        self.live = False
        self.streaming = False

    async def logged(self) -> None:
        """Return once all that it has published to the log is placed: what it whispers now must not overtake that."""
        while self.logging:
            if self._idle is None:
                self._idle = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._idle)

    def note_logged(self) -> None:
        """One of its messages is placed, or will never be."""
        self.logging -= 1
        if not self.logging and self._idle is not None:
            self._idle.set_result(None)
            self._idle = None
