"""What is done to tell a channel something."""

from dataclasses import dataclass
from uuid import UUID

import msgspec

from headwater.kernel.bus import Bus
from headwater.kernel.clock import Clock
from headwater.kernel.database import Transactions
from headwater.kernel.ids import new_id
from headwater.kernel.principal import Kind, Principal
from headwater.platform.realtime import queries, rules
from headwater.platform.realtime.delivery import Delivery, Subscription, Verdict, Whisper, Whispers
from headwater.platform.realtime.directory import Directory
from headwater.platform.realtime.errors import (
    ChannelNotFound,
    InvalidChannelRequest,
    NotSubscribed,
    PublishRefused,
)
from headwater.platform.realtime.log import Log
from headwater.platform.realtime.models import (
    MessageToPublish,
    NewMessage,
    OpenChannel,
    PlacedMessage,
    PublishedTo,
    PublishTo,
    RealtimeSettings,
)


@dataclass(frozen=True)
class Publishing:
    """The verbs of whoever publishes."""

    log: Log
    directory: Directory
    delivery: Delivery
    whispers: Whispers
    clock: Clock
    bus: Bus
    settings: RealtimeSettings

    async def warm(self, _transactions: Transactions) -> None:
        """Know the channels."""
        await self.directory.start()

    async def publish(self, transactions: Transactions, principal: Principal, body: PublishTo) -> PublishedTo:
        """Tell a channel that the socket is subscribed to.

        Raises `NotSubscribed`, `PublishRefused`, `InvalidChannelRequest`.
        """
        subscription = self.delivery.find(body.socket, body.channel)
        if subscription is None:
            raise NotSubscribed(channel=body.channel)
        message = self._message(principal, self._channel(body.channel), body.channel, body.event, body.payload)
        if body.ephemeral:
            await self._must_be_let_whisper(transactions, principal, subscription, message)
            self.whispers.tell(Whisper.of(message, self.clock.now()))
            return PublishedTo(ok=True, message_id=message.id)
        place = await self.log.publish(principal, message)
        return PublishedTo(ok=True, message_id=message.id, offset=place.offset, epoch=place.epoch)

    async def publish_to(
        self, _transactions: Transactions, principal: Principal, body: MessageToPublish
    ) -> PlacedMessage:
        """Tell a channel, by its id or its name, in a request.

        Raises `ChannelNotFound`, `InvalidChannelRequest`, `PublishRefused`.
        """
        channel, name = self._addressed(body)
        message = self._message(principal, channel, name, body.event_name, body.payload)
        place = await self.log.publish(principal, message)
        return PlacedMessage(message_id=message.id, offset=place.offset)

    async def _must_be_let_whisper(
        self, transactions: Transactions, principal: Principal, subscription: Subscription, message: NewMessage
    ) -> None:
        """Raise unless the policies let a message in; what was found is believed as long as access to a channel is."""
        if len(message.payload) > self.settings.whisper_bytes:
            raise InvalidChannelRequest(
                reason=f"payload: of an ephemeral message takes more than {self.settings.whisper_bytes} bytes"
            )
        generation, now = self.delivery.generation, self.clock.timestamp()
        verdict = subscription.whispers
        if verdict is None or verdict.generation != generation or verdict.until <= now:
            may = await queries.may_publish(transactions, principal, message)
            verdict = subscription.whispers = Verdict(may, generation, now + self.settings.recheck_seconds)
        if not verdict.may:
            raise PublishRefused(channel=message.channel)

    def _addressed(self, body: MessageToPublish) -> tuple[OpenChannel, str]:
        """The channel that a request means, and its name."""
        try:
            channel = self.directory.find_by_id(UUID(body.id))
        except ValueError:
            channel = self.directory.find(body.id)
            name = body.id
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
        text = msgspec.json.encode(payload).decode()
        if len(text) > self.settings.payload_bytes:
            raise InvalidChannelRequest(reason=f"payload: takes more than {self.settings.payload_bytes} bytes")
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
