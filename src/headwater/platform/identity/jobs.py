"""What identity does by the clock."""

from datetime import timedelta

from headwater.kernel.component import Timer
from headwater.platform.identity.operations import Identity

TIMERS = (Timer(name="identity.remove_expired", every=timedelta(minutes=10), operation=Identity.remove_expired),)
