"""Where the admin looks at messages of the past, and says how long they are kept."""

from headwater.kernel.component import Access, Endpoint, Mode
from headwater.platform.realtime.models import (
    KeptMessage,
    MessageStats,
    RealtimeConfig,
    RealtimeConfigChange,
    RemovedMessages,
    WantedMessages,
    WantedStats,
)
from headwater.platform.realtime.operations import History

_LONGEST_REMOVAL = 300.0

HISTORY = (
    Endpoint(
        method="GET",
        path="/api/realtime/messages",
        operation=History.list_messages,
        access=Access.ADMIN,
        transaction=Mode.READING,
        body=WantedMessages,
        result=list[KeptMessage],
    ),
    Endpoint(
        method="DELETE",
        path="/api/realtime/messages",
        operation=History.remove_messages,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        result=RemovedMessages,
        timeout=_LONGEST_REMOVAL,
    ),
    Endpoint(
        method="GET",
        path="/api/realtime/messages/stats",
        operation=History.count_messages,
        access=Access.ADMIN,
        transaction=Mode.READING,
        body=WantedStats,
        result=MessageStats,
    ),
    Endpoint(
        method="GET",
        path="/api/realtime/config",
        operation=History.show_config,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        result=RealtimeConfig,
    ),
    Endpoint(
        method="PATCH",
        path="/api/realtime/config",
        operation=History.change_config,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=RealtimeConfigChange,
        result=RealtimeConfig,
    ),
)
