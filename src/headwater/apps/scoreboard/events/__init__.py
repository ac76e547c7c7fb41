"""What the scoreboard tells."""

from headwater.apps.scoreboard.events.fraud import IncidentOpened, IncidentReviewed
from headwater.apps.scoreboard.events.ranks import ComparisonAsked
from headwater.apps.scoreboard.events.scores import (
    BoardOpened,
    BoardRemoved,
    LeadChanged,
    ScoreChanged,
    SeasonBegan,
)

__all__ = [
    "BoardOpened",
    "BoardRemoved",
    "ComparisonAsked",
    "IncidentOpened",
    "IncidentReviewed",
    "LeadChanged",
    "ScoreChanged",
    "SeasonBegan",
]
