"""Durable events: an outbox and a cursor per consumer; and who follows events on every node, durable or not."""

from headwater.kernel.events.declarations import Consumer, Follower, ToldEvent
from headwater.kernel.events.dispatcher import CarryOut, Dispatcher
from headwater.kernel.events.following import Following, TellRooms
from headwater.kernel.events.models import BoundConsumer, BoundFollower, EventSettings
from headwater.kernel.events.recorder import EventRecorder

__all__ = [
    "BoundConsumer",
    "BoundFollower",
    "CarryOut",
    "Consumer",
    "Dispatcher",
    "EventRecorder",
    "EventSettings",
    "Follower",
    "Following",
    "TellRooms",
    "ToldEvent",
]
