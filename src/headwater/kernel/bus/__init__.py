"""Between processes, and within one: wake-ups, never the truth, which is always read from tables again."""

from headwater.kernel.bus.bus import Bus, Handler, MessageTooLarge, RawHandler
from headwater.kernel.bus.postgres import PostgresBus
from headwater.kernel.bus.rounds import Rounds
from headwater.kernel.bus.tasks import Tasks

__all__ = ["Bus", "Handler", "MessageTooLarge", "PostgresBus", "RawHandler", "Rounds", "Tasks"]
