"""The members of every channel: one for each user, however many sockets he hears it with, on whichever nodes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import msgspec

from headwater.kernel.bus import Bus, Nodes, Rounds, Tasks
from headwater.kernel.clock import Clock
from headwater.kernel.ids import new_id
from headwater.kernel.observe import Observer
from headwater.kernel.principal import Kind
from headwater.kernel.sockets import Socket, Sockets
from headwater.platform.realtime.delivery import Meta, moment, room_of
from headwater.platform.realtime.models import Member
from headwater.platform.realtime.presence.news import TOPIC, Asked, Entered, Here, Left, News, Present, read, write

JOINED, LEFT, UPDATED = "presence:join", "presence:leave", "presence:update"
_LOOK_EVERY = 0.5
_PART_BYTES = 4000
"""Of what is told of everybody in one message, so that it fits a NOTIFY."""


class Roster:
    """Keeps who is there, and tells the others in the room when somebody comes, says something new of himself, or goes.

    Every node answers for its own sockets and tells the others; a node that is new, or was deaf for a while, asks. What
    a node has told goes with it: nothing of one that was killed stays longer than the others wait for its beat.
    """

    def __init__(self, sockets: Sockets, clock: Clock, bus: Bus, nodes: Nodes, observer: Observer) -> None:
        self._sockets = sockets
        self._clock = clock
        self._bus = bus
        self._nodes = nodes
        self._tasks = Tasks("realtime presence", observer)
        self._rounds = Rounds("realtime presence", observer, self._look)
        self._present: dict[tuple[str, str], set[Socket]] = {}
        """The sockets of this node by channel and member."""
        self._members: defaultdict[str, dict[str, dict[str, Member]]] = defaultdict(dict)
        """By channel, member and node."""
        self._known: set[str] = set()
        self._coming: dict[str, dict[int, Present]] = {}
        self._number = 0

    def start(self) -> None:
        """Begin to hear the other nodes, and ask them."""
        self._bus.subscribe(TOPIC, self._hear)
        self._bus.on_gap(self._ask)
        self._rounds.start()

    async def stop(self) -> None:
        """Send what waits."""
        await self._rounds.stop()
        await self._tasks.stop(patience=1.0)

    def members(self, channel: str) -> list[Member]:
        """Everybody who hears a channel."""
        return [next(iter(nodes.values())) for nodes in self._members.get(channel, {}).values()]

    def enter(self, channel: str, socket: Socket) -> list[Member]:
        """Note that a socket hears a channel; everybody who does now, himself included."""
        presence_id = _presence_id(socket)
        present = self._present.setdefault((channel, presence_id), set())
        if not present:
            kind = "user" if _is_user(socket) else "anonymous"
            member = Member(type=kind, presence_id=presence_id, joined_at=moment(self._clock.now()))
            self._tell_all(channel, member, socket)
        present.add(socket)
        return self.members(channel)

    def update(self, channel: str, socket: Socket, state: dict[str, object]) -> None:
        """Note what a member says of himself; his other sockets here speak for the same member."""
        mine = self._members.get(channel, {}).get(_presence_id(socket), {}).get(self._nodes.id)
        if mine is not None:
            self._tell_all(channel, msgspec.structs.replace(mine, state=state), socket)

    def leave(self, channel: str, socket: Socket) -> None:
        """Note that a socket hears a channel no more."""
        presence_id = _presence_id(socket)
        present = self._present.get((channel, presence_id))
        if present is None or socket not in present:
            return
        present.discard(socket)
        if not present:
            del self._present[channel, presence_id]
            self._remove(self._nodes.id, channel, presence_id, socket)
            self._say(Left(self._nodes.id, channel, presence_id))

    def _tell_all(self, channel: str, member: Member, besides: Socket) -> None:
        self._add(self._nodes.id, Here(channel, member), besides)
        self._say(Entered(self._nodes.id, Here(channel, member)))

    def _say(self, news: News) -> None:
        if not self._nodes.alone:
            self._tasks.start(self._bus.publish(TOPIC, write(news)))

    def _add(self, node: str, here: Here, besides: Socket | None = None) -> None:
        nodes = self._members[here.channel].setdefault(here.member.presence_id, {})
        before = nodes.get(node)
        if not nodes:
            self._tell(here.channel, JOINED, here.member, besides)
        elif before is not None and before.state != here.member.state:
            self._tell(here.channel, UPDATED, here.member, besides)
        nodes[node] = here.member

    def _remove(self, node: str, channel: str, presence_id: str, besides: Socket | None = None) -> None:
        nodes = self._members.get(channel, {}).get(presence_id, {})
        member = nodes.pop(node, None)
        if member is not None and not nodes:
            del self._members[channel][presence_id]
            if not self._members[channel]:
                del self._members[channel]
            self._tell(channel, LEFT, member, besides)

    def _tell(self, channel: str, event: str, member: Member, besides: Socket | None) -> None:
        now = moment(self._clock.now())
        meta = Meta(channel=channel, message_id=str(new_id()), sender_type="system", timestamp=now)
        self._sockets.broadcast(room_of(channel), event, {"member": member, "meta": meta}, besides=besides)

    def _hear(self, message: bytes) -> None:
        news = read(message)
        if news.node == self._nodes.id:
            return
        match news:
            case Entered():
                self._add(news.node, news.here)
            case Left():
                self._remove(news.node, news.channel, news.presence_id)
            case Asked():
                self._answer()
            case Present():
                self._take(news)

    def _answer(self) -> None:
        """Tell everybody who is here, in parts."""
        self._number += 1
        parts = _parts(self._everybody(self._nodes.id))
        for part, everybody in enumerate(parts):
            told = Present(self._nodes.id, self._number, part, len(parts), tuple(everybody))
            self._tasks.start(self._bus.publish(TOPIC, write(told)))

    def _take(self, present: Present) -> None:
        """Once every part has come: whoever is not among them has left."""
        coming = self._coming.setdefault(present.node, {})
        if any(part.number != present.number for part in coming.values()):
            coming.clear()
        coming[present.part] = present
        if len(coming) < present.parts:
            return
        del self._coming[present.node]
        told = [here for part in coming.values() for here in part.everybody]
        there = {(here.channel, here.member.presence_id) for here in told}
        for here in tuple(self._everybody(present.node)):
            if (here.channel, here.member.presence_id) not in there:
                self._remove(present.node, here.channel, here.member.presence_id)
        for here in told:
            self._add(present.node, here)

    def _everybody(self, node: str) -> Iterator[Here]:
        for channel, members in self._members.items():
            for nodes in members.values():
                if node in nodes:
                    yield Here(channel, nodes[node])

    async def _ask(self) -> None:
        await self._bus.publish(TOPIC, write(Asked(self._nodes.id)))

    async def _look(self) -> float:
        """Ask nodes that are new, and let go of those that are gone."""
        others = self._nodes.live - {self._nodes.id}
        for node in self._known - others:
            self._coming.pop(node, None)
            for here in tuple(self._everybody(node)):
                self._remove(node, here.channel, here.member.presence_id)
        if others - self._known:
            await self._ask()
        self._known = set(others)
        return _LOOK_EVERY


def _parts(everybody: Iterable[Here]) -> list[list[Here]]:
    """Everybody in parts that fit a message each; one that is empty if nobody is there."""
    parts: list[list[Here]] = [[]]
    size = 0
    for here in everybody:
        size += len(msgspec.json.encode(here))
        if size > _PART_BYTES and parts[-1]:
            parts.append([])
            size = len(msgspec.json.encode(here))
        parts[-1].append(here)
    return parts


def _is_user(socket: Socket) -> bool:
    return socket.principal.kind is Kind.USER and socket.principal.id is not None


def _presence_id(socket: Socket) -> str:
    return str(socket.principal.id) if _is_user(socket) else socket.id
