"""What sockets do to hear a channel."""

from dataclasses import dataclass

import msgspec

from headwater.kernel.database import ReadingTransaction, Transactions
from headwater.kernel.errors import InvalidInput, Refusal
from headwater.kernel.principal import Principal
from headwater.kernel.sockets import Acknowledged, Handshake, Resumed, Socket
from headwater.platform.realtime import queries, rules
from headwater.platform.realtime.access import Access
from headwater.platform.realtime.delivery import Delivery, Listener, Subscription, read_bookmark
from headwater.platform.realtime.errors import InvalidChannelRequest, NotSubscribed, SubscribeRefused, TooManyChannels
from headwater.platform.realtime.models import (
    COMPLAINT,
    ChannelOf,
    Member,
    Presence,
    RealtimeSettings,
    Saying,
    Since,
    Subscribed,
    SubscribeTo,
)
from headwater.platform.realtime.presence import Roster
from headwater.platform.realtime.sessions import ListeningSession, SessionBook


@dataclass(frozen=True)
class Subscribing:
    """The verbs of a socket that listens."""

    access: Access
    delivery: Delivery
    roster: Roster
    book: SessionBook
    settings: RealtimeSettings

    async def warm(self, _transactions: Transactions) -> None:
        """Begin to hear the log."""
        await self.delivery.start()
        self.access.start()
        self.roster.start()

    async def close(self) -> None:
        """Finish what is under way."""
        await self.access.stop()
        await self.roster.stop()
        await self.delivery.stop()
        await self.book.close()

    async def resume(self, transactions: Transactions, principal: Principal, handshake: Handshake) -> Resumed:
        """The session that a client shows, or a new one where it shows none that can be gone on with.

        It shows a secret, and the bookmark of the last message it has; socket.io-client does so by itself.
        """
        shown = handshake.auth or {}
        secret, bookmark = shown.get("pid"), shown.get("offset")
        session = await self.book.find(secret, principal) if isinstance(secret, str) else None
        if session is None or not await self._is_whole(transactions, session, bookmark):
            session = self.book.begin(principal)
        return Resumed(session.secret, session)

    async def welcome(self, transactions: Transactions, socket: Socket, state: object) -> None:
        """Tell a new socket who it is, and let it hear what it heard before."""
        principal = socket.principal
        socket.emit("connected", {"socketId": socket.id, "userId": principal.id, "role": principal.role})
        listener = self.delivery.listener(socket)
        socket.when_closed(lambda: self._part(listener))
        if isinstance(state, ListeningSession):
            listener.session = state
            for channel, after in tuple(state.channels.items()):
                await self._restore(transactions, listener, channel, after)
            self.delivery.begin(listener)

    async def subscribe(self, transactions: Transactions, principal: Principal, body: SubscribeTo) -> Acknowledged:
        """Hear a channel from now on; with `since`, after everything that was missed, if that is still known.

        A second time it is answered again and changes nothing, unless it says since when. Who says that keeps the
        account himself: his session is not kept any more. Raises `SubscribeRefused`, `TooManyChannels`.
        """
        channel, listener, generation = body.channel, self.delivery.listener(body.socket), self.delivery.generation
        await self._must_see(transactions, principal, channel)
        subscription = listener.subscriptions.get(channel)
        if subscription is None and len(listener.subscriptions) >= self.settings.channels_per_socket:
            raise TooManyChannels(most=self.settings.channels_per_socket)
        after, recovered = None, None
        if body.since is not None:
            after = await self._locate(transactions, channel, body.since)
            recovered = after is not None
        offset = await self._listen(transactions, listener, channel, after, renewed=body.since is not None)
        await self._must_still_see(transactions, listener, channel, generation)
        result = Subscribed(
            ok=True,
            channel=channel,
            presence=Presence(members=self._enter(channel, listener)),
            offset=offset,
            epoch=self.delivery.epoch,
            recovered=recovered,
        )
        return Acknowledged(result, lambda: self.delivery.begin(listener))

    async def _listen(
        self, transactions: Transactions, listener: Listener, channel: str, after: int | None, *, renewed: bool
    ) -> int:
        """Register a subscription, unless there is one that need not be renewed; the channel's offset there."""
        subscription = listener.subscriptions.get(channel)
        if subscription is not None and not renewed:
            return await self._offset_at(transactions, channel, self.delivery.cursor)
        subscription = self.delivery.subscribe(listener, channel, after)
        try:
            if renewed:
                await self._forget_session(listener)
            else:
                await self._keep_session(listener, subscription)
            return await self._offset_at(transactions, channel, subscription.since)
        except BaseException:
            self._drop(listener, channel)
            self.delivery.go_on(listener)
            raise

    async def unsubscribe(self, _transactions: Transactions, _principal: Principal, body: ChannelOf) -> object:
        """Hear a channel no more; nothing happens where it was not heard."""
        listener = self.delivery.listener(body.socket)
        self._drop(listener, body.channel)
        if listener.session is not None and listener.session.channels.pop(body.channel, None) is not None:
            await self.book.keep(listener.session)
        return {"ok": True, "channel": body.channel}

    async def say_of_oneself(self, _transactions: Transactions, _principal: Principal, body: Saying) -> object:
        """Tell those who hear a channel what one is doing: a member's `state`, kept as long as he is there.

        Raises `NotSubscribed`, `InvalidChannelRequest`.
        """
        if self.delivery.find(body.socket, body.channel) is None:
            raise NotSubscribed(channel=body.channel)
        if len(msgspec.json.encode(body.state)) > self.settings.state_bytes:
            raise InvalidChannelRequest(reason=f"state: takes more than {self.settings.state_bytes} bytes")
        self.roster.update(body.channel, body.socket, body.state)
        return {"ok": True, "channel": body.channel}

    async def _must_see(self, transactions: Transactions, principal: Principal, channel: str) -> None:
        if not rules.is_channel_name(channel):
            raise InvalidInput(reason="channel: must be printable")
        diversion = self.delivery.diversion(channel)
        if diversion is not None:
            await diversion.admit(transactions, principal, channel)
            return
        closed = self.access.is_closed_to(principal, channel)
        if closed or await queries.find_visible_channel(transactions, principal, channel) is None:
            raise SubscribeRefused(channel=channel)

    async def _must_still_see(
        self, transactions: Transactions, listener: Listener, channel: str, generation: int
    ) -> None:
        """Look again where everybody was looked at since: this one was not among them yet, and is from now on."""
        if self.delivery.generation == generation:
            return
        try:
            await self._must_see(transactions, listener.socket.principal, channel)
        except BaseException:
            self._drop(listener, channel)
            self.delivery.go_on(listener)
            raise

    async def _offset_at(self, transactions: Transactions, channel: str, place: int) -> int:
        return await transactions.reading(lambda tx: queries.find_channel_offset(tx, rules.source_of(channel), place))

    async def _locate(self, transactions: Transactions, channel: str, since: Since) -> int | None:
        """The place up to which a client has everything; None if what came after is no longer kept."""
        source = rules.source_of(channel)

        async def locate(tx: ReadingTransaction) -> int | None:
            head = await queries.find_channel_head(tx, source)
            if since.epoch != head.epoch or since.offset > head.offset:
                return None
            if since.offset == head.offset:
                return head.place
            following = await queries.find_place(tx, source, since.offset + 1)
            return None if following is None else following - 1

        return await transactions.reading(locate)

    async def _keep_session(self, listener: Listener, subscription: Subscription) -> None:
        if listener.session is not None:
            listener.session.channels[subscription.channel] = subscription.since
            await self.book.keep(listener.session)

    async def _forget_session(self, listener: Listener) -> None:
        session, listener.session = listener.session, None
        if session is not None and session.channels:
            session.channels.clear()
            await self.book.keep(session)

    async def _restore(self, transactions: Transactions, listener: Listener, channel: str, after: int) -> None:
        socket, generation = listener.socket, self.delivery.generation
        try:
            await self._must_see(transactions, socket.principal, channel)
            self.delivery.subscribe(listener, channel, after)
            await self._must_still_see(transactions, listener, channel, generation)
        except Refusal as refusal:
            socket.emit(COMPLAINT, {"channel": channel, "code": refusal.code, "message": refusal.message})
            return
        self._enter(channel, listener)

    async def _is_whole(self, transactions: Transactions, session: ListeningSession, bookmark: object) -> bool:
        """Whether everything that a session has missed is still kept; then its channels go on behind the bookmark."""
        place = 0
        if bookmark is not None:
            read = read_bookmark(bookmark) if isinstance(bookmark, str) else None
            if read is None or read[1] != self.delivery.epoch:
                return False
            place = read[0]
        for channel, after in session.channels.items():
            session.channels[channel] = max(after, place)
        pruned = await transactions.reading(queries.find_pruned)
        return bool(session.channels) and all(after >= pruned for after in session.channels.values())

    def _part(self, listener: Listener) -> None:
        """A client has gone: its session stays for a while."""
        for channel in tuple(listener.subscriptions):
            self._drop(listener, channel)
        self.delivery.forget(listener)
        if listener.session is not None:
            self.book.leave(listener.session)

    def _enter(self, channel: str, listener: Listener) -> list[Member]:
        """The members of a channel, now with this one; who hears a table's changes is nobody's to know."""
        return [] if rules.tells_a_table(channel) else self.roster.enter(channel, listener.socket)

    def _drop(self, listener: Listener, channel: str) -> None:
        subscription = listener.subscriptions.get(channel)
        if subscription is not None:
            self.delivery.end(subscription)
            self.roster.leave(channel, listener.socket)
