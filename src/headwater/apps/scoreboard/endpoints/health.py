"""Where the scoreboard says how it is, and where it is watched."""

from headwater.apps.scoreboard.endpoints.envelope import WATCHER_ENVELOPE
from headwater.apps.scoreboard.models.health import ScoreboardHealth
from headwater.apps.scoreboard.operations import Health, Watching
from headwater.apps.scoreboard.operations.watching import WATCH_PATH, Ping
from headwater.kernel.component import Access, Endpoint, FromSocket, Mode, PlainSocket, SocketMessage

ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/health",
        operation=Health.report,
        access=Access.ANYONE,
        transaction=Mode.NONE,
        result=ScoreboardHealth,
    ),
)
SOCKETS = (
    PlainSocket(
        path=WATCH_PATH,
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
