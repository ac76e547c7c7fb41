"""What sockets may say, in the words of both generations (contracts/platform.md 0 and 1.6)."""

from headwater.kernel.component import Access, FromSocket, Mode, SocketMessage
from headwater.kernel.errors import Refusal
from headwater.kernel.sockets import SocketEnvelope, Told
from headwater.platform.realtime.models import COMPLAINT, ChannelOf, PublishTo, Saying, Subscribed, SubscribeTo
from headwater.platform.realtime.operations import Publishing, Subscribing


class RealtimeEnvelope:
    """Refusals are `{ok: false, channel, error: {code, message}}`, and unasked the event `realtime:error`."""

    def acknowledge(self, result: object) -> object:
        """The result as it is."""
        return result

    def refuse(self, refusal: Refusal, asked: object) -> object:
        """The refusal, with the channel it is about."""
        return {"ok": False, **_channel_of(asked), "error": {"code": refusal.code, "message": refusal.message}}

    def complain(self, refusal: Refusal, asked: object) -> Told | None:
        """The same, as an event."""
        return Told(COMPLAINT, {**_channel_of(asked), "code": refusal.code, "message": refusal.message})


class DiagramEnvelope(RealtimeEnvelope):
    """The diagram's own words: `{success, channel}`."""

    def acknowledge(self, result: object) -> object:
        """That it succeeded, and the channel."""
        return {"success": True, "channel": result.channel} if isinstance(result, Subscribed) else {"success": True}

    def refuse(self, refusal: Refusal, asked: object) -> object:
        """That it did not succeed, and why."""
        return {"success": False, **_channel_of(asked), "error": {"code": refusal.code, "message": refusal.message}}


def _channel_of(asked: object) -> dict[str, str]:
    channel: object = asked.get("channel") if isinstance(asked, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return {"channel": channel} if isinstance(channel, str) else {}


ENVELOPE = RealtimeEnvelope()
_DIAGRAM = DiagramEnvelope()
_SOCKET = {"socket": FromSocket()}


def _in_both(event: str, operation: object, body: type, envelope: SocketEnvelope = ENVELOPE) -> SocketMessage:
    return SocketMessage(
        event=event,
        operation=operation,  # pyright: ignore[reportArgumentType]
        access=Access.CALLER,
        transaction=Mode.NONE,
        body=body,
        inputs=_SOCKET,
        envelope=envelope,
    )


MESSAGES = (
    _in_both("realtime:subscribe", Subscribing.subscribe, SubscribeTo),
    _in_both("realtime:unsubscribe", Subscribing.unsubscribe, ChannelOf),
    _in_both("realtime:publish", Publishing.publish, PublishTo),
    _in_both("realtime:presence", Subscribing.say_of_oneself, Saying),
    _in_both("subscribe", Subscribing.subscribe, SubscribeTo, _DIAGRAM),
    _in_both("unsubscribe", Subscribing.unsubscribe, ChannelOf, _DIAGRAM),
    _in_both("publish", Publishing.publish, PublishTo, _DIAGRAM),
)
