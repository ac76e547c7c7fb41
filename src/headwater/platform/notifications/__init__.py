"""Notifications: what users are told inside the apps, kept until they have read it.

Tables: `notifications.notices`.
Endpoints: `/api/notifications`, `/api/notifications/{id}/read`, `/api/notifications/read`.
Events: `NoticeAdded` (durable), told to the user's sockets as `notifications:added`.
Timers: `notifications.remove_old`, hourly.
"""

from headwater.kernel.component import Component
from headwater.platform.notifications import errors
from headwater.platform.notifications.endpoints import ENDPOINTS
from headwater.platform.notifications.events import NoticeAdded
from headwater.platform.notifications.jobs import TIMERS
from headwater.platform.notifications.models import NewNotice, Notice
from headwater.platform.notifications.operations import Inbox

COMPONENT = Component(
    name="notifications",
    package=__name__,
    operations=Inbox,
    endpoints=ENDPOINTS,
    timers=TIMERS,
    schemas=("notifications",),
    events=(NoticeAdded,),
    errors=errors,
)

__all__ = ["COMPONENT", "Inbox", "NewNotice", "Notice"]
