"""What the scoreboard does after a commit, and by the clock."""

from datetime import timedelta

from headwater.apps.scoreboard.events import (
    BoardOpened,
    BoardRemoved,
    ComparisonAsked,
    IncidentOpened,
    IncidentReviewed,
    ScoreChanged,
    SeasonBegan,
)
from headwater.apps.scoreboard.models import RemovedUser
from headwater.apps.scoreboard.operations import Boards, Incidents, Notices, Ranking, Reactions, Standings, Watching
from headwater.kernel.component import Consumer, Follower, Timer

CONSUMERS = (
    Consumer(
        name="scoreboard.count_hour",
        of="ScoreChanged",
        payload=ScoreChanged,
        operation=Reactions.count_hour,
        joined=True,
    ),
    Consumer(
        name="scoreboard.tell_channel",
        of="ScoreChanged",
        payload=ScoreChanged,
        operation=Reactions.tell_channel,
        joined=True,
    ),
    Consumer(
        name="scoreboard.follow_lead",
        of="ScoreChanged",
        payload=ScoreChanged,
        operation=Reactions.follow_lead,
        joined=True,
    ),
    Consumer(name="scoreboard.tell_admins", of="IncidentOpened", payload=IncidentOpened, operation=Notices.tell_admins),
    Consumer(
        name="scoreboard.tell_held_player",
        of="IncidentOpened",
        payload=IncidentOpened,
        operation=Notices.tell_held_player,
    ),
    Consumer(
        name="scoreboard.tell_reviewed_player",
        of="IncidentReviewed",
        payload=IncidentReviewed,
        operation=Notices.tell_reviewed_player,
    ),
)
FOLLOWERS = (
    Follower(
        name="scoreboard.renewal",
        of="ScoreChanged",
        payload=ScoreChanged,
        operation=Watching.renew_score,
        elsewhere=False,
    ),
    Follower(
        name="scoreboard.score",
        of="ScoreChanged",
        payload=ScoreChanged,
        operation=Watching.follow_score,
        on_gap=Watching.catch_up,
    ),
    Follower(name="scoreboard.season", of="SeasonBegan", payload=SeasonBegan, operation=Watching.follow_season),
    Follower(name="scoreboard.opened", of="BoardOpened", payload=BoardOpened, operation=Ranking.follow_opening),
    Follower(name="scoreboard.removed", of="BoardRemoved", payload=BoardRemoved, operation=Watching.follow_removal),
    Follower(
        name="scoreboard.left",
        of="UserRemoved",
        payload=RemovedUser,
        operation=Standings.forget_player,
        elsewhere=False,
    ),
    Follower(name="scoreboard.leaving", of="UserRemoved", payload=RemovedUser, operation=Watching.follow_leaving),
    Follower(
        name="scoreboard.gone",
        of="BoardRemoved",
        payload=BoardRemoved,
        operation=Standings.forget_board,
        elsewhere=False,
    ),
    Follower(
        name="scoreboard.comparison", of="ComparisonAsked", payload=ComparisonAsked, operation=Ranking.follow_comparison
    ),
)
TIMERS = (
    Timer(name="scoreboard.reset_due_boards", every=timedelta(seconds=10), operation=Boards.reset_due_boards),
    Timer(name="scoreboard.compare_ranks", every=timedelta(minutes=10), operation=Ranking.compare_ranks),
    Timer(name="scoreboard.remove_old", every=timedelta(hours=1), operation=Boards.remove_old),
    Timer(name="scoreboard.learn_norms", every=timedelta(minutes=10), operation=Incidents.learn_norms),
    Timer(name="scoreboard.remove_old_behaviours", every=timedelta(hours=1), operation=Incidents.remove_old_behaviours),
)
