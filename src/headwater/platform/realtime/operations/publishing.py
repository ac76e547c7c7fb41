"""What is done to tell a channel something."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from headwater.kernel.clock import Clock
from headwater.kernel.database import Transactions, WritingTransaction
from headwater.kernel.ids import new_id
from headwater.kernel.principal import Kind, Principal
from headwater.kernel.sockets import RESERVED, Underway
from headwater.platform.realtime import queries, rules
from headwater.platform.realtime.delivery import Delivery, Listener, Subscription, Verdict, Whispers, whisper_of
from headwater.platform.realtime.directory import Directory
from headwater.platform.realtime.errors import (
    ChannelNotFound,
    InvalidChannelRequest,
    InvalidPattern,
    NotSubscribed,
    PublishRefused,
    ReservedEvent,
)
from headwater.platform.realtime.log import Log
from headwater.platform.realtime.models import (
    MessageToPublish,
    NewMessage,
    OpenChannel,
    Place,
    PlacedMessage,
    PublishedTo,
    PublishTo,
    RealtimeSettings,
    ReservedChannel,
)


@dataclass(frozen=True)
class Publishing:
    """The verbs of whoever publishes."""

    log: Log
    directory: Directory
    delivery: Delivery
    whispers: Whispers
    clock: Clock
    settings: RealtimeSettings

    async def warm(self, _transactions: Transactions) -> None:
        """Know the channels."""
        await self.directory.start()

    async def close(self) -> None:
        """Send what waits."""
        await self.whispers.stop()

    async def reserve_channel(
        self, transactions: Transactions, pattern: str, description: str, *, for_admins: bool = False
    ) -> None:
        """Let a channel be, or many, on which the house alone publishes; for a component's `warm`.

        Whoever may call may subscribe, or with `for_admins` admins alone. Raises `InvalidPattern`.
        """
        if not rules.is_pattern(pattern) or rules.tells_a_table(pattern):
            raise InvalidPattern
        self.directory.reserve(ReservedChannel(pattern=pattern, for_admins=for_admins))
        await transactions.writing(lambda tx: queries.ensure_channel(tx, pattern, description))
        await self.directory.refresh()

    async def announce(self, tx: WritingTransaction, channel: str, event: str, payload: object) -> UUID:
        """Log a message of the house in a transaction of any component: it is told once that has committed.

        `payload` becomes a JSON object. The message's id; raises `ChannelNotFound`, `InvalidChannelRequest`.
        """
        text = self._text(payload)
        message = await queries.add_house_message(tx, channel, event, text)
        if message is None:
            raise ChannelNotFound
        return message

    async def announce_all(self, tx: WritingTransaction, event: str, told: Sequence[tuple[str, object]]) -> int:
        """The same for many messages of one name, each a channel and a payload, in their order: one statement.

        What goes to a channel that is not there, or that the admin has disabled, is left out; how many messages were
        logged. Raises `InvalidChannelRequest`.
        """
        texts = [(channel, self._text(payload)) for channel, payload in told]
        logged = await queries.add_house_messages(tx, event, texts) if texts else []
        return sum(message is not None for message in logged)

    async def publish(
        self, transactions: Transactions, principal: Principal, body: PublishTo
    ) -> PublishedTo | Underway[PublishedTo]:
        """Tell a channel that the socket is subscribed to.

        What is to be logged has its place in the order of its sender when this returns, and its commit is under way:
        so those of one turn are committed together. Raises `NotSubscribed`, `PublishRefused`, `InvalidChannelRequest`,
        `ReservedEvent`.
        """
        subscription = self.delivery.find(body.socket, body.channel)
        if subscription is None:
            raise NotSubscribed(channel=body.channel)
        _must_be_free("event", body.event)
        message = self._message(principal, self._channel(body.channel), body.channel, body.event, body.payload)
        if body.ephemeral:
            await self._must_be_let_whisper(transactions, principal, subscription, message)
            packet = whisper_of(message, self.clock.now())
            if not self.whispers.fits(body.channel, packet):
                raise InvalidChannelRequest(reason="payload: of an ephemeral message is too long with these names")
            await subscription.listener.logged()
            self.whispers.tell(body.channel, packet)
            return PublishedTo(ok=True, message_id=message.id)
        subscription.listener.logging += 1
        return Underway(_logged(message.id, self.log.publish(principal, message), subscription.listener))

    async def publish_to(
        self, _transactions: Transactions, principal: Principal, body: MessageToPublish
    ) -> PlacedMessage:
        """Tell a channel, by its id or its name, in a request.

        Raises `ChannelNotFound`, `InvalidChannelRequest`, `PublishRefused`, `ReservedEvent`.
        """
        _must_be_free("eventName", body.event_name)
        channel, name = self._addressed(body)
        message = self._message(principal, channel, name, body.event_name, body.payload)
        place = await self.log.publish(principal, message)
        return PlacedMessage(message_id=message.id, offset=place.offset)

    async def _must_be_let_whisper(
        self, transactions: Transactions, principal: Principal, subscription: Subscription, message: NewMessage
    ) -> None:
        """Raise unless the policies let a message in.

        What was found is believed as long as access to a channel is, unless it hangs on what the message says.
        """
        if len(message.payload) > self.settings.whisper_bytes:
            raise InvalidChannelRequest(
                reason=f"payload: of an ephemeral message takes more than {self.settings.whisper_bytes} bytes"
            )
        generation, now = self.delivery.generation, self.clock.timestamp()
        verdict = subscription.whispers
        if verdict is None or verdict.generation != generation or verdict.until <= now:
            may, for_this_one = await queries.may_publish(transactions, principal, message)
            verdict = Verdict(may, generation, now + self.settings.recheck_seconds)
            subscription.whispers = None if for_this_one else verdict
        if not verdict.may:
            raise PublishRefused(channel=message.channel)

    def _addressed(self, body: MessageToPublish) -> tuple[OpenChannel, str]:
        """The channel that a request means, and its name."""
        try:
            channel = self.directory.find_by_id(UUID(body.id))
        except ValueError:
            channel = self.directory.find(body.id)
            name = body.id
            if body.channel not in (None, name):
                raise InvalidChannelRequest(reason=f"channel: the address names {name} already") from None
        else:
            if channel is not None and rules.is_wild(channel.pattern) and body.channel is None:
                raise InvalidChannelRequest(reason=f"channel: which of the channels {channel.pattern} is meant")
            name = body.channel or (channel.pattern if channel is not None else "")
        if channel is None:
            raise ChannelNotFound
        if not rules.matches(channel.pattern, name) or not rules.is_channel_name(name):
            raise InvalidChannelRequest(reason=f"channel: {name} is none of the channels {channel.pattern}")
        return channel, name

    def _channel(self, name: str) -> OpenChannel:
        channel = self.directory.find(name)
        if channel is None:
            raise PublishRefused(channel=name)
        return channel

    def _message(
        self, principal: Principal, channel: OpenChannel, name: str, event: str, payload: dict[str, object]
    ) -> NewMessage:
        text = self._text(payload)
        if self.directory.reserved(name) is not None:
            raise PublishRefused(channel=name)
        is_system = principal.kind is Kind.ADMIN
        return NewMessage(
            id=new_id(),
            channel=name,
            channel_id=channel.id,
            event=event,
            payload=text,
            sender_type="system" if is_system else "user",
            sender_id=principal.id if principal.kind is Kind.USER else None,
        )

    def _text(self, payload: object) -> str:
        text = msgspec.json.encode(payload).decode()
        if len(text) > self.settings.payload_bytes:
            raise InvalidChannelRequest(reason=f"payload: takes more than {self.settings.payload_bytes} bytes")
        return text


def _must_be_free(field: str, event: str) -> None:
    if event in RESERVED or rules.speaks_as_the_house(event):
        raise ReservedEvent(field=field, event=event)


async def _logged(message: UUID, placing: Awaitable[Place], listener: Listener) -> PublishedTo:
    try:
        place = await placing
    finally:
        listener.note_logged()
    return PublishedTo(ok=True, message_id=message, offset=place.offset, epoch=place.epoch)
