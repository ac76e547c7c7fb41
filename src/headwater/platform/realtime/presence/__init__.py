"""Who hears a channel."""

from headwater.platform.realtime.presence.roster import Roster

__all__ = ["Roster"]
