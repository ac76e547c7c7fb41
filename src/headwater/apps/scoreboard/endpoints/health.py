"""Where the scoreboard says how it is."""

from headwater.apps.scoreboard.models.health import ScoreboardHealth
from headwater.apps.scoreboard.operations import Health
from headwater.kernel.component import Access, Endpoint, Mode

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
