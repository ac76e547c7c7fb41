"""The enabled channels, in memory."""

import asyncio
from uuid import UUID

from headwater.kernel.bus import Bus
from headwater.kernel.database import Database
from headwater.platform.realtime import queries, rules
from headwater.platform.realtime.models import OpenChannel, ReservedChannel

CHANGED_CHANNEL = "realtime_channels"
_MOST_KNOWN = 10_000
"""Names whose channel is remembered."""


class Directory:
    """Knows every enabled channel, whoever changed it and where, milliseconds after the commit."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus
        self._reading = asyncio.Lock()
        self._channels: tuple[OpenChannel, ...] = ()
        self._found: dict[str, OpenChannel | None] = {}
        self._reserved: list[ReservedChannel] = []
        self._reservations: dict[str, ReservedChannel | None] = {}

    async def start(self) -> None:
        """Read the channels, and again whenever they change."""
        self._bus.listen_raw(CHANGED_CHANNEL, lambda _payload: self.refresh())
        self._bus.on_gap(self.refresh)
        await self.refresh()

    async def refresh(self) -> None:
        """Know what is committed now; one after the other, so that no slow read brings back what was."""
        async with self._reading:
            self._channels = tuple(await self._database.single(queries.list_open_channels))
            self._found.clear()

    def find(self, name: str) -> OpenChannel | None:
        """The enabled channel a name belongs to: the one that is called so, or the longest pattern that matches."""
        if name not in self._found:
            if len(self._found) > _MOST_KNOWN:
                self._found.clear()
            fitting = [channel for channel in self._channels if rules.matches(channel.pattern, name)]
            self._found[name] = min(fitting, key=lambda channel: rules.precedence(channel.pattern, name), default=None)
        return self._found[name]

    def find_by_id(self, channel_id: UUID) -> OpenChannel | None:
        """The enabled channel with this id."""
        return next((channel for channel in self._channels if channel.id == channel_id), None)

    def reserve(self, reserved: ReservedChannel) -> None:
        """From now on the house alone publishes on channels of this pattern."""
        self._reserved.append(reserved)
        self._reservations.clear()

    def reserved(self, name: str) -> ReservedChannel | None:
        """What is said of the channel of this name, if the house has reserved it: the nearest pattern counts."""
        if name not in self._reservations:
            if len(self._reservations) > _MOST_KNOWN:
                self._reservations.clear()
            fitting = [each for each in self._reserved if rules.matches(each.pattern, name)]
            nearest = min(fitting, key=lambda each: rules.precedence(each.pattern, name), default=None)
            self._reservations[name] = nearest
        return self._reservations[name]
