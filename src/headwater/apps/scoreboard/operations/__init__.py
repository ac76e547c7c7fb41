"""The verbs of the scoreboard, a class for each noun."""

from headwater.apps.scoreboard.operations.boards import Boards
from headwater.apps.scoreboard.operations.caching import Caching
from headwater.apps.scoreboard.operations.health import Health
from headwater.apps.scoreboard.operations.incidents import Incidents
from headwater.apps.scoreboard.operations.notices import Notices
from headwater.apps.scoreboard.operations.players import Players
from headwater.apps.scoreboard.operations.ranking import Ranking
from headwater.apps.scoreboard.operations.reactions import Reactions
from headwater.apps.scoreboard.operations.reviews import Reviews
from headwater.apps.scoreboard.operations.scoring import Scoring
from headwater.apps.scoreboard.operations.standings import Standings
from headwater.apps.scoreboard.operations.watching import Watching

__all__ = [
    "Boards",
    "Caching",
    "Health",
    "Incidents",
    "Notices",
    "Players",
    "Ranking",
    "Reactions",
    "Reviews",
    "Scoring",
    "Standings",
    "Watching",
]
