"""Durable events: an outbox and a cursor per consumer."""

from headwater.kernel.events.declarations import Consumer, ToldEvent
from headwater.kernel.events.dispatcher import CarryOut, Dispatcher
from headwater.kernel.events.listeners import EventListener, Listeners
from headwater.kernel.events.models import BoundConsumer, EventSettings
from headwater.kernel.events.recorder import EventRecorder

__all__ = [
    "BoundConsumer",
    "CarryOut",
    "Consumer",
    "Dispatcher",
    "EventListener",
    "EventRecorder",
    "EventSettings",
    "Listeners",
    "ToldEvent",
]
