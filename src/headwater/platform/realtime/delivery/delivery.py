"""Brings messages from the log to the sockets of this node."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from headwater.kernel.bus import Nodes, Rounds, Tasks
from headwater.kernel.database import Database
from headwater.kernel.observe import HookFailed, Observer
from headwater.kernel.sockets import CloseReason, Packet, Socket, Sockets
from headwater.platform.realtime import queries
from headwater.platform.realtime.delivery.diversion import Diversion, Send
from headwater.platform.realtime.delivery.frames import packet_of, room_of
from headwater.platform.realtime.delivery.subscription import Listener, Subscription
from headwater.platform.realtime.log import Log
from headwater.platform.realtime.models import LoggedMessage, LogPage, RealtimeSettings

_COUNT_EVERY = 1.0
_PAUSE = 0.01
_PAGE_BYTES = 256 * 1024
"""Of the payloads that are held for one client that comes back and reads slowly."""


class Delivery:
    """Tells every message of the log, in its order, to whoever is subscribed here.

    `cursor` is the place up to which this node has told everything. A socket gets its messages in the order of the log
    too, whatever their channels: so the bookmark of the newest says what it has. While something is missing it is in
    no room and is told from the log, message by message; it joins its rooms in the very turn in which it has come up to
    the cursor. So there is no gap at the seam and no duplicate.

    A node that is cut off from the others tells nothing, because it could not know whose access has ended; then it goes
    on from the log.
    """

    def __init__(
        self,
        log: Log,
        sockets: Sockets,
        database: Database,
        nodes: Nodes,
        observer: Observer,
        settings: RealtimeSettings,
    ) -> None:
        self.sockets = sockets
        self._nodes = nodes
        self._log = log
        self._database = database
        self._observer = observer
        self._page = settings.replay_page
        self._tasks = Tasks("realtime delivery", observer)
        self._advancing = Rounds("realtime delivery", observer, self._advance)
        self._counting = Rounds("realtime audiences", observer, self._count)
        self._listeners: dict[Socket, Listener] = {}
        self._watched: defaultdict[str, dict[Subscription, None]] = defaultdict(dict)
        """Who hears each channel of the log, in the order in which they came."""
        self._reading: frozenset[str] | None = None
        """The channels of the read that is under way."""
        self._preparing = False
        """Whether it is settled already to whom a diversion tells what was read."""
        self._moved: asyncio.Future[None] | None = None
        self._wanted = 0
        self._heard: dict[UUID, int] = {}
        self._diversions: list[Diversion] = []
        self.cursor = 0
        self.epoch = ""
        self.generation = 0
        """Counts how often everybody's access was looked at again: what was found before is not relied on."""

    async def start(self) -> None:
        """Begin at the newest message."""
        head = await self._log.settle()
        self.cursor = self._wanted = head.place
        self.epoch = head.epoch
        self._log.start(self._hear, self._hear_news)
        self._nodes.on_return(self._advancing.ring)
        self._advancing.start()
        self._counting.start()

    async def stop(self) -> None:
        """Finish what is under way."""
        await self._log.stop()
        await self._advancing.stop()
        await self._counting.stop()
        await self._tasks.stop()

    def divert(self, diversion: Diversion) -> None:
        """From now on `diversion` decides who gets what of the channels it takes."""
        self._diversions.append(diversion)

    def diversion(self, channel: str) -> Diversion | None:
        """What decides who gets what of a channel; None where everybody who hears it gets everything."""
        return next((diversion for diversion in self._diversions if diversion.takes(channel)), None)

    def listening(self, source: str) -> Collection[Subscription]:
        """The subscriptions that are told from a channel of the log, now."""
        return tuple(self._watched.get(source, ()))

    def everyone(self) -> list[Subscription]:
        """Every subscription of this node."""
        return [each for listener in self._listeners.values() for each in listener.subscriptions.values()]

    def listener(self, socket: Socket) -> Listener:
        """What a socket hears; it is kept until `forget`."""
        listener = self._listeners.get(socket)
        if listener is None:
            listener = self._listeners[socket] = Listener(socket)
        return listener

    def forget(self, listener: Listener) -> None:
        """A socket is gone."""
        for subscription in tuple(listener.subscriptions.values()):
            self.end(subscription)
        self._listeners.pop(listener.socket, None)

    def find(self, socket: Socket, channel: str) -> Subscription | None:
        """A socket's subscription to a channel."""
        listener = self._listeners.get(socket)
        return None if listener is None else listener.subscriptions.get(channel)

    def subscribe(self, listener: Listener, channel: str, after: int | None = None) -> Subscription:
        """Let a socket hear a channel behind a place of the log, or from now on; it is told nothing before `begin`.

        It takes the place of an earlier one to the same channel.
        """
        earlier = listener.subscriptions.get(channel)
        if earlier is not None:
            self.end(earlier)
        self._pause(listener)
        subscription = Subscription(listener, channel, self.cursor if after is None else after, self.cursor)
        listener.subscriptions[channel] = subscription
        self._watched[subscription.source][subscription] = None
        return subscription

    def begin(self, listener: Listener) -> None:
        """Tell a socket what is missing in all its channels, then everything as it comes."""
        for subscription in listener.subscriptions.values():
            subscription.begun = True
        self.go_on(listener)

    def go_on(self, listener: Listener) -> None:
        """Tell a socket what is missing, once every subscription of its has begun."""
        if not listener.live and not listener.streaming:
            listener.streaming = True
            self._tasks.start(self._bring_up(listener))

    def end(self, subscription: Subscription) -> None:
        """Tell nothing more of this channel to this socket."""
        if subscription.ended:
            return
        subscription.ended = True
        listener, channel = subscription.listener, subscription.channel
        self.sockets.leave(listener.socket, subscription.room)
        if listener.subscriptions.get(channel) is subscription:
            del listener.subscriptions[channel]
        watching = self._watched[subscription.source]
        del watching[subscription]
        if not watching:
            del self._watched[subscription.source]

    def _pause(self, listener: Listener) -> None:
        """Take a socket out of its rooms: from here on it is told from the log."""
        if listener.live:
            listener.live = False
            self.sockets.write_now(listener.socket)  # who leaves a room gets nothing more of what was told there
            for subscription in listener.subscriptions.values():
                subscription.after = self.cursor
                self.sockets.leave(listener.socket, subscription.room)

    def _hear(self, messages: Sequence[LoggedMessage]) -> None:
        """Take messages that were placed here: at once if they are the next ones, and for whole rooms."""
        first, last = messages[0], messages[-1]
        is_next = first.place == self.cursor + 1 and first.epoch == self.epoch
        heard = [message for message in messages if message.channel in self._watched]
        diverted = any(self.diversion(message.channel) for message in heard)
        idle = self._wanted == self.cursor and self._reading is None
        if is_next and idle and not diverted and not self._nodes.cut_off:
            for message in heard:
                self._note(message, self._broadcast(message))
            self.cursor = self._wanted = last.place
        else:
            self._hear_news(last.place, last.epoch)

    def _hear_news(self, place: int, epoch: str) -> None:
        if epoch != self.epoch:
            self._begin_again(place, epoch)
        self._wanted = max(self._wanted, place)
        if self._wanted > self.cursor:
            self._advancing.ring()

    def _begin_again(self, place: int, epoch: str) -> None:
        """The log is another one, restored from a copy: nobody's place in it means anything."""
        self.cursor = self._wanted = place
        self.epoch = epoch
        for socket in tuple(self._listeners):
            socket.close(CloseReason.FAILED)

    def _go_on_behind(self, place: int) -> None:
        """Messages were deleted before they were told here: cut off whoever may have missed one, so that he asks."""
        self.cursor = place
        self._wanted = max(self._wanted, place)
        for listener in tuple(self._listeners.values()):
            if listener.subscriptions:
                listener.socket.close(CloseReason.FAILED)

    async def _advance(self) -> None:
        """Read up to the newest place known, and tell it."""
        try:
            while self.cursor < self._wanted and not self._nodes.cut_off:
                after, until, channels = self.cursor, self._wanted, frozenset(self._watched)
                self._reading = channels
                page = await self._read(channels, after, until)
                if page.pruned > after:
                    self._go_on_behind(max(page.pruned, until))
                    continue
                self._preparing = True
                sends = await self._prepare(page.messages)
                self._preparing = False
                if self.cursor != after or self._nodes.cut_off:
                    continue  # the log has begun again, or somebody's access may have ended without our hearing
                for message, send in zip(page.messages, sends, strict=True):
                    self._note(message, self._broadcast(message) if send is None else send())
                self.cursor = page.reached
                self._wake()
        finally:
            self._reading, self._preparing = None, False
            self._wake()

    def _wake(self) -> None:
        """Let those go on who wait for this node to come further: those who have come up may join while it reads."""
        moved, self._moved = self._moved, None
        if moved is not None:
            moved.set_result(None)

    async def _read(self, channels: frozenset[str], after: int, until: int) -> LogPage:
        if not channels:
            return LogPage(messages=[], reached=until, pruned=0)
        most = self._page
        return await self._database.single(lambda tx: queries.read_log(tx, channels, after, until, most, _PAGE_BYTES))

    async def _prepare(self, messages: Sequence[LoggedMessage]) -> list[Send | None]:
        """What sends each message; None for those that go to whole rooms."""
        sends: dict[UUID, Send] = {}
        for diversion in self._diversions:
            mine = [message for message in messages if diversion.takes(message.channel)]
            if mine:
                prepared = await diversion.prepare(mine)
                sends |= {message.id: send for message, send in zip(mine, prepared, strict=True)}
        return [sends.get(message.id) for message in messages]

    def _broadcast(self, message: LoggedMessage) -> int:
        return self.sockets.broadcast_packet(room_of(message.channel), packet_of(message))

    def _note(self, message: LoggedMessage, audience: int) -> None:
        if audience:
            self._heard[message.id] = self._heard.get(message.id, 0) + audience

    async def _bring_up(self, listener: Listener) -> None:
        """Tell what is missing; a client that cannot be told everything is cut off, so that it comes back and asks."""
        try:
            await self._stream(listener)
        except Exception as failure:  # noqa: BLE001 - whatever it is, there would be a gap
            self._observer.tell(HookFailed(part="realtime delivery", failure=failure))
            listener.socket.close(CloseReason.FAILED)
        finally:
            listener.streaming = False

    async def _stream(self, listener: Listener) -> None:
        while listener.subscriptions and listener.socket.connected:
            mine = tuple(listener.subscriptions.values())
            if not all(subscription.begun for subscription in mine):
                return  # `begin` comes again
            low, high = min(each.after for each in mine), max(each.after for each in mine)
            unread = self._reading is not None and not self._is_read(mine)
            if low < self.cursor:
                await self._tell_missing(listener, low)
            elif high > self.cursor or unread:
                await self._move(high)
            else:
                listener.live = True
                for subscription in mine:
                    self.sockets.join(listener.socket, subscription.room)
                return

    def _is_read(self, subscriptions: Iterable[Subscription]) -> bool:
        """Whether what is read now will be told to these too, if they join their rooms."""
        reading = self._reading or frozenset()
        return all(
            each.source in reading and not (self._preparing and self.diversion(each.source)) for each in subscriptions
        )

    async def _tell_missing(self, listener: Listener, low: int) -> None:
        """Tell the next messages of those channels that are furthest behind, up to where the next one stands."""
        behind = [each for each in listener.subscriptions.values() if each.after == low]
        others = (each.after for each in listener.subscriptions.values() if each.after > low)
        until = min(self.cursor, min(others, default=self.cursor))
        page = await self._read(frozenset(each.source for each in behind), low, until)
        if page.pruned > low:
            listener.socket.close(CloseReason.FAILED)
            return
        for subscription, packet in await self._packets(behind, page.messages):
            while (listener.socket.is_behind or self._nodes.cut_off) and listener.socket.connected:  # noqa: ASYNC110 - neither rings a bell
                await asyncio.sleep(_PAUSE)
            if not subscription.ended:
                listener.socket.send(packet)
        for subscription in behind:
            subscription.after = page.reached

    async def _packets(
        self, subscriptions: Iterable[Subscription], messages: Sequence[LoggedMessage]
    ) -> list[tuple[Subscription, Packet]]:
        """What a listener gets of these messages, in their order."""
        packets: list[tuple[int, Subscription, Packet]] = []
        for subscription in subscriptions:
            mine = [message for message in messages if message.channel == subscription.source]
            diversion = self.diversion(subscription.source)
            if diversion is None:
                told = [packet_of(message, replayed=message.place <= subscription.since) for message in mine]
            else:
                told = await diversion.prepare_for(subscription, mine) if mine else ()
            packets += [
                (message.place, subscription, packet)
                for message, packet in zip(mine, told, strict=True)
                if packet is not None
            ]
        packets.sort(key=lambda each: each[0])
        return [(subscription, packet) for _, subscription, packet in packets]

    async def _move(self, place: int) -> None:
        """Return once this node has come further, or has read what it reads now."""
        self._wanted = max(self._wanted, place)
        if self._moved is None:
            self._moved = asyncio.get_running_loop().create_future()
        self._advancing.ring()
        await asyncio.shield(self._moved)

    async def _count(self) -> float:
        """Note how many heard each message: in one statement for all of a second."""
        heard, self._heard = self._heard, {}
        if heard:
            await self._database.single(lambda tx: queries.count_audiences(tx, heard))
        return _COUNT_EVERY
