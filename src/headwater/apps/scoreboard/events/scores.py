"""What the scoreboard tells of scores and boards."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from headwater.kernel.models import Event


class ScoreChanged(Event, frozen=True, kw_only=True):
    """A player's score on a board is another, or as it was where an action brought nothing.

    `standing` is what the board sorts by, smaller first, then `reached_at`; of two changes of one player the one with
    the greater `revision` came later. `hidden` players are on no board.
    """

    durable: ClassVar[bool] = True

    board: str
    season: int
    user_id: UUID
    username: str
    points: int
    score: int
    standing: int
    reached_at: datetime
    revision: int
    hidden: bool


class SeasonBegan(Event, frozen=True, kw_only=True):
    """A board starts from nothing; what was before is the archive of the season before."""

    durable: ClassVar[bool] = True

    board: str
    season: int


class BoardRemoved(Event, frozen=True, kw_only=True):
    """A board is gone with all its scores."""

    durable: ClassVar[bool] = True

    board: str


class BoardOpened(Event, frozen=True, kw_only=True):
    """There is a new board, or a known one has other terms."""

    board: str


class LeadChanged(Event, frozen=True, kw_only=True):
    """A board has another leader; told to him, and to whoever led `before`."""

    durable: ClassVar[bool] = True

    board: str
    season: int
    user_id: UUID
    username: str
    before: UUID | None

    def audience(self) -> tuple[str, ...]:
        """The rooms of the two."""
        return tuple(f"user:{user}" for user in (self.user_id, self.before) if user is not None)
