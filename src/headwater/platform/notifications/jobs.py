"""What notifications do by the clock."""

from datetime import timedelta

from headwater.kernel.component import Timer
from headwater.platform.notifications.operations import Inbox

TIMERS = (Timer(name="notifications.remove_old", every=timedelta(hours=1), operation=Inbox.remove_old),)
