"""Scoreboard: who is ahead, live, with points that nobody can make up.

Tables: `scoreboard.players`, `boards`, `scores`, `actions`, `hours`, `leaders`, `incidents`, `behaviours` and others
of the same schema.
Endpoints, under `/apps/scoreboard`: `/api/auth/…`, `/api/scoreboard/…`, `/api/boards/…`, `/api/players/{userId}`,
`/api/scoreboard/incidents/…`, `/api/cache/…`, `/health`; the socket `/ws`; the page `/`.
Events: `ScoreChanged`, `SeasonBegan`, `BoardRemoved`, `LeadChanged`, `IncidentOpened`, `IncidentReviewed` (durable),
`BoardOpened`, `ComparisonAsked`.
Consumers: `scoreboard.count_hour`, `tell_channel`, `follow_lead`, `tell_admins`, `tell_held_player`,
`tell_reviewed_player`. Timers: `scoreboard.reset_due_boards`, every 10 s;
`compare_ranks` and `learn_norms`, every ten minutes; `remove_old` and `remove_old_behaviours`, hourly.
Limits: 10 score updates and 30 new actions a minute for each player; 30 sign-ups and sign-ins in 15 minutes for each
address.
"""

from headwater.apps.scoreboard import errors
from headwater.apps.scoreboard.endpoints import ENDPOINTS, ENVELOPES, SOCKETS, WARMINGS
from headwater.apps.scoreboard.events import (
    BoardOpened,
    BoardRemoved,
    ComparisonAsked,
    IncidentOpened,
    IncidentReviewed,
    LeadChanged,
    ScoreChanged,
    SeasonBegan,
)
from headwater.apps.scoreboard.jobs import CONSUMERS, FOLLOWERS, TIMERS
from headwater.apps.scoreboard.models.ranks import RanksCompared
from headwater.apps.scoreboard.operations import (
    Boards,
    Caching,
    Health,
    Incidents,
    Notices,
    Players,
    Ranking,
    Reactions,
    Reviews,
    Scoring,
    Standings,
    Watching,
)
from headwater.kernel.component import Component, Page

COMPONENT = Component(
    name="scoreboard",
    package=__name__,
    operations=(
        Ranking,
        Players,
        Standings,
        Boards,
        Scoring,
        Incidents,
        Notices,
        Reviews,
        Watching,
        Reactions,
        Caching,
        Health,
    ),
    endpoints=ENDPOINTS,
    envelopes=ENVELOPES,
    sockets=SOCKETS,
    consumers=CONSUMERS,
    followers=FOLLOWERS,
    timers=TIMERS,
    warmings=WARMINGS,
    page=Page("web/apps/scoreboard", "headwater"),
    schemas=("scoreboard",),
    events=(
        ScoreChanged,
        SeasonBegan,
        BoardRemoved,
        LeadChanged,
        IncidentOpened,
        IncidentReviewed,
        BoardOpened,
        ComparisonAsked,
    ),
    observations=(RanksCompared,),
    errors=errors,
)

__all__ = ["COMPONENT"]
