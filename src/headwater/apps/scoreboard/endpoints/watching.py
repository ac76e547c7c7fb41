"""Where a board is watched."""

from headwater.apps.scoreboard.endpoints.envelope import WATCHER_ENVELOPE
from headwater.apps.scoreboard.models import Ping
from headwater.apps.scoreboard.operations import Watching
from headwater.kernel.component import Access, FromSocket, Mode, PlainSocket, SocketMessage

SOCKETS = (
    PlainSocket(
        path="/ws",
        welcome=Watching.welcome,
        envelope=WATCHER_ENVELOPE,
        messages=(
            SocketMessage(
                event="ping",
                operation=Watching.ping,
                access=Access.ANYONE,
                transaction=Mode.NONE,
                body=Ping,
                inputs={"socket": FromSocket()},
                envelope=WATCHER_ENVELOPE,
            ),
        ),
    ),
)
