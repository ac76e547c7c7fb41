"""From the log to the sockets of this node."""

from headwater.platform.realtime.delivery.delivery import Delivery
from headwater.platform.realtime.delivery.diversion import Diversion, Send
from headwater.platform.realtime.delivery.frames import (
    Meta,
    bookmark,
    moment,
    packet_of,
    payload_of,
    read_bookmark,
    room_of,
    whisper_of,
    with_meta,
)
from headwater.platform.realtime.delivery.subscription import Listener, Subscription, Verdict
from headwater.platform.realtime.delivery.whispers import Whispers

__all__ = [
    "Delivery",
    "Diversion",
    "Listener",
    "Meta",
    "Send",
    "Subscription",
    "Verdict",
    "Whispers",
    "bookmark",
    "moment",
    "packet_of",
    "payload_of",
    "read_bookmark",
    "room_of",
    "whisper_of",
    "with_meta",
]
