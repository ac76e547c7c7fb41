"""The log: every durable message of a channel in its place, none lost, none twice."""

from headwater.platform.realtime.log.log import CALL_WEBHOOK, Hear, HearNews, Log
from headwater.platform.realtime.log.publisher import Publisher

__all__ = ["CALL_WEBHOOK", "Hear", "HearNews", "Log", "Publisher"]
