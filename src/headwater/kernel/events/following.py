"""Lets followers act on events, and rooms hear of them: here, and on the other nodes."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from operator import methodcaller
from typing import cast

import msgspec

from headwater.kernel.bus import Bus, MessageTooLarge, Rounds, Tasks
from headwater.kernel.errors import Busy, DatabaseUnavailable
from headwater.kernel.events.models import BoundFollower
from headwater.kernel.events.notices import Happening, Notice, read_notice, write_missed, write_notices
from headwater.kernel.events.pieces import LARGEST, PIECE_BYTES, Assembly, cut
from headwater.kernel.ids import new_id
from headwater.kernel.models import Event
from headwater.kernel.observe import HookFailed, Observer

TOPIC = "happenings"
PIECES = "happenings.pieces"
_SPARE = 200
"""Bytes that a notice adds to what stands in it."""
_PART = "followers"
_PATIENCE = 10.0
"""Seconds that a follower may take for an event before the next one has its turn."""
_STOP_PATIENCE = 5.0
_MOST_WAITING = 10_000
"""Notices of others that may wait here; whoever is further behind reads again instead."""
_HEALED_FOR = 0.5
"""Seconds between two healings of a follower."""

TellRooms = Callable[[Sequence[str], str, msgspec.Raw], object]
Audience = Callable[[Event], Iterable[str]]


class Following:
    """Lets every node act on events soon after their commit, each once or never.

    In the process that emitted them the followers have acted when `tell` returns; then the rooms of their audience
    hear of them, and the other nodes, by one message of the bus for each commit that fits it, and by several for one
    that does not. There the same happens, one commit after the other, in the order of each sender. Whoever may have
    missed an event, because the bus did, because it is larger than a mebibyte or because he failed, is not told again
    but healed (`Follower.on_gap`); a room that missed one did. What is heard before `start` waits for it, so that
    components load first what they follow.

    `tell_rooms(rooms, event, payload)` tells the sockets of this process, and `audience(event)` are those rooms.
    """

    def __init__(
        self,
        bus: Bus,
        observer: Observer,
        followers: Iterable[BoundFollower],
        tell_rooms: TellRooms,
        audience: Audience = methodcaller("audience"),
    ) -> None:
        self._bus = bus
        self._observer = observer
        self._tell_rooms = tell_rooms
        self._audience = audience
        self._id = new_id().hex
        self._followers: dict[str, list[BoundFollower]] = defaultdict(list)
        self._healings: dict[str, list[_Healing]] = defaultdict(list)
        for follower in followers:
            of = follower.declaration.of
            self._followers[of].append(follower)
            self._healings[of].append(_Healing(follower, observer))
        self._heard: deque[Notice] = deque()
        self._numbers = count()
        self._assembly = Assembly()
        self._untold: set[str] = set()
        self._started = self._working = False
        self._tasks = Tasks(_PART, observer)
        self._owning_up = Rounds(_PART, observer, self._own_up)
        bus.subscribe(TOPIC, self._hear)
        bus.subscribe(PIECES, self._hear_piece)
        bus.on_gap(self._heal_all)

    def start(self) -> None:
        """Act from now on on what others tell, and first on what they told since this was made."""
        self._started = True
        self._owning_up.start()
        for healing in self._each_healing():
            healing.start()
        self._go_on()

    async def stop(self) -> None:
        """Let what runs come to its end, for 5 s at most."""
        self._started = False
        await asyncio.gather(*(healing.stop() for healing in self._each_healing()))
        await self._tasks.stop(_STOP_PATIENCE)
        await self._owning_up.stop()

    def distrust(self) -> None:
        """Let every follower look again: somebody may have committed what he told nobody."""
        self._heal_all()

    async def tell(self, events: Iterable[Event]) -> None:
        """After commit: return once this process' followers have acted on the events; the others are told then.

        Whoever gives up waiting stops nothing of it.
        """
        happenings = [told for event in events if (told := self._happening(event)) is not None]
        if happenings:
            await asyncio.shield(self._tasks.start(self._tell(happenings)))

    def _happening(self, event: Event) -> Happening | None:
        """An event as it is told; None for one that nobody follows and no room hears of."""
        name = type(event).__name__
        try:
            rooms = tuple(dict.fromkeys(self._audience(event)))
            if not rooms and name not in self._followers:
                return None
            payload = msgspec.Raw(msgspec.json.encode(event))
        except Exception as failure:  # noqa: BLE001 - an event that cannot be told hinders no other
            self._blame(name, failure)
            self._mark_untold([name])
            self._heal(name)
            return None
        return Happening(name, event.wire_name or name, rooms, payload)

    async def _tell(self, happenings: list[Happening]) -> None:
        await self._act_on(happenings, ours=True)
        if others := [each for each in happenings if each.rooms or self._is_followed_elsewhere(each)]:
            self._tasks.start(self._tell_others(others))

    def _is_followed_elsewhere(self, happening: Happening) -> bool:
        return any(follower.declaration.elsewhere for follower in self._followers.get(happening.name, ()))

    async def _tell_others(self, happenings: list[Happening]) -> None:
        messages, large = write_notices(self._id, happenings)
        for each in large:
            self._blame(each.name, MessageTooLarge(each.name, len(bytes(each.payload)), LARGEST))
        sends = [send for message in messages for send in self._sends(message)]
        try:
            await asyncio.gather(*(self._bus.publish(topic, message) for topic, message in sends))
        except (DatabaseUnavailable, Busy):
            self._mark_untold(happening.name for happening in happenings)

    def _sends(self, notice: bytes) -> list[tuple[str, bytes]]:
        """What carries a notice to the others: it alone, or its pieces, one right behind the other."""
        if len(notice) <= PIECE_BYTES + _SPARE:
            return [(TOPIC, notice)]
        return [(PIECES, piece) for piece in cut(self._id, next(self._numbers), notice)]

    def _mark_untold(self, names: Iterable[str]) -> None:
        self._untold.update(names)
        self._owning_up.ring()

    async def _own_up(self) -> None:
        """Say which events the others may have missed; repeated until they have been told."""
        if names := frozenset(self._untold):
            await self._bus.publish(TOPIC, write_missed(self._id, names))
            self._untold -= names

    def _hear_piece(self, message: bytes) -> None:
        notice = self._assembly.add(message)
        if notice is not None:
            self._hear(notice)

    def _hear(self, message: bytes) -> None:
        notice = read_notice(message)
        if notice.sender == self._id:
            return
        self._heard.append(notice)
        if len(self._heard) > _MOST_WAITING:
            self._heard.clear()
            self._heal_all()
        self._go_on()

    def _go_on(self) -> None:
        if self._started and self._heard and not self._working:
            self._working = True
            self._tasks.start(self._take_in())

    async def _take_in(self) -> None:
        try:
            while self._heard and self._started:
                notice = self._heard.popleft()
                await self._act_on(notice.happenings, ours=False)
                for name in notice.missed:
                    self._heal(name)
        finally:
            self._working = False

    async def _act_on(self, happenings: Iterable[Happening], *, ours: bool) -> None:
        """Let the followers act on each, then let the rooms hear: who is told to look finds what is told."""
        for happening in happenings:
            for nth, follower in enumerate(self._followers.get(happening.name, ())):
                if (ours or follower.declaration.elsewhere) and not await self._followed(follower, happening):
                    self._healings[happening.name][nth].need()
        for happening in happenings:
            if happening.rooms:
                try:
                    self._tell_rooms(happening.rooms, happening.wire_name, happening.payload)
                except Exception as failure:  # noqa: BLE001 - the other rooms are waiting
                    self._blame(happening.name, failure)

    async def _followed(self, follower: BoundFollower, happening: Happening) -> bool:
        """Whether a follower has acted."""
        kind = cast(type[object], follower.declaration.payload)
        try:
            async with asyncio.timeout(_PATIENCE):
                await follower.operation(msgspec.json.decode(happening.payload, type=kind))
        except Exception as failure:  # noqa: BLE001 - one follower's failure is not another's
            self._blame(follower.declaration.name, failure)
            return False
        return True

    def _heal(self, name: str) -> None:
        for healing in self._healings.get(name, ()):
            healing.need()

    def _heal_all(self) -> None:
        for healing in self._each_healing():
            healing.need()

    def _each_healing(self) -> list["_Healing"]:
        return [healing for healings in self._healings.values() for healing in healings]

    def _blame(self, name: str, failure: Exception) -> None:
        self._observer.tell(HookFailed(part=f"{_PART}: {name}", failure=failure))


class _Healing:
    """Calls a follower's `on_gap` when there is need, and again until it succeeds; however much need, one at a time."""

    def __init__(self, follower: BoundFollower, observer: Observer) -> None:
        self._on_gap = follower.on_gap
        self._needed = False
        self._rounds = Rounds(f"{_PART}: {follower.declaration.name}", observer, self._heal)

    def start(self) -> None:
        """Heal from now on; at once if there was need before."""
        if self._on_gap is not None:
            self._rounds.start()

    async def stop(self) -> None:
        """Let a healing that runs come to its end, for 5 s at most."""
        await self._rounds.stop(_STOP_PATIENCE)

    def need(self) -> None:
        """The follower may have missed something."""
        self._needed = True
        self._rounds.ring()

    async def _heal(self) -> None:
        if self._needed and self._on_gap is not None:
            self._needed = False
            try:
                await self._on_gap()
            except BaseException:
                self._needed = True
                raise
            await asyncio.sleep(_HEALED_FOR)
