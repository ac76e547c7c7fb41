"""Between processes, and within one: wake-ups, never the truth, which is always read from tables again."""

from headwater.kernel.bus.bus import Bus, Handler, MessageTooLarge, RawHandler
from headwater.kernel.bus.nodes import Nodes
from headwater.kernel.bus.postgres import PostgresBus
from headwater.kernel.bus.redis import RedisBus
from headwater.kernel.bus.revocations import Revocations, Revoked
from headwater.kernel.bus.rounds import Rounds
from headwater.kernel.bus.tasks import Tasks

__all__ = [
    "Bus",
    "Handler",
    "MessageTooLarge",
    "Nodes",
    "PostgresBus",
    "RawHandler",
    "RedisBus",
    "Revocations",
    "Revoked",
    "Rounds",
    "Tasks",
]
