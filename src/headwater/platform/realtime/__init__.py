"""Realtime: what is published on a channel reaches whoever listens, in order, once, or it is told that it did not.

Tables: `realtime.channels`, `messages`, `log`, `heads`, `sessions`, `config`, `webhook_deliveries`; functions
`realtime.publish()`, `channel_name()`.
Endpoints: `/api/realtime/channels`, `channels/{id}`, `channels/{id}/messages`, `messages`, `messages/stats`,
`permissions`, `config`, `tables`; `/api/metadata/realtime`.
Messages: `realtime:subscribe`, `realtime:unsubscribe`, `realtime:publish`, and the same without the prefix.
Jobs: `realtime.call_webhook`, `realtime.remove_old_messages`. Timers: `realtime.remove_old_messages`, hourly;
`realtime.remove_sessions`, every minute.
"""

from headwater.kernel.component import Component, Description
from headwater.platform.realtime import errors
from headwater.platform.realtime.endpoints import ENDPOINTS, ENVELOPE, MESSAGES
from headwater.platform.realtime.jobs import JOBS, TIMERS
from headwater.platform.realtime.operations import (
    Channels,
    History,
    Publishing,
    Subscribing,
    TellingTables,
    Webhooks,
)

COMPONENT = Component(
    name="realtime",
    package=__name__,
    operations=(Publishing, Subscribing, Channels, History, Webhooks, TellingTables),
    endpoints=ENDPOINTS,
    messages=MESSAGES,
    jobs=JOBS,
    timers=TIMERS,
    resume=Subscribing.resume,
    welcome=Subscribing.welcome,
    socket_envelope=ENVELOPE,
    descriptions=(Description(name="realtime", operation=Channels.describe_realtime),),
    schemas=("realtime",),
    errors=errors,
)

__all__ = ["COMPONENT", "Publishing"]
