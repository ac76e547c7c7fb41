"""What the scoreboard remembers, and for how long."""

from typing import NamedTuple
from uuid import UUID

import msgspec

from headwater.apps.scoreboard.models.boards import Board
from headwater.kernel.cache import CacheFamily


class KnownScore(msgspec.Struct, frozen=True, kw_only=True):
    """A player and his score on a board, as the rows say it."""

    username: str
    score: int
    hidden: bool


class ScoreOf(NamedTuple):
    """Whose score is meant, and in which season of which board."""

    board: str
    season: int
    user_id: UUID

    @property
    def name(self) -> str:
        """What it is called in its family."""
        return f"{self.board}:{self.season}:{self.user_id}"


class TopOf(NamedTuple):
    """Whose first places are meant: a board's, in one season."""

    board: str
    season: int

    @property
    def name(self) -> str:
        """What they are called in their family."""
        return f"{self.board}:{self.season}"


TOPS = CacheFamily("scoreboard_top", bytes, ttl=30, longest_ttl=120)
"""By `TopOf.name`: the first ten places as they are answered, in JSON. Named by the season, so that who still loads the
one before cannot leave it where the next is looked for."""
SCORES = CacheFamily("scoreboard_score", KnownScore, ttl=300, negative_ttl=5, longest_ttl=1200)
"""By `ScoreOf.name`: a season that begins has nothing to forget."""
BOARDS = CacheFamily("scoreboard_board", Board, ttl=60, negative_ttl=5, longest_ttl=240)
"""By name."""
FAMILIES = (TOPS, SCORES, BOARDS)
