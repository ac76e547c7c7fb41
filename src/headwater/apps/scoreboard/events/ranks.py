"""What the scoreboard tells of its ranks."""

from headwater.kernel.models import Event


class ComparisonAsked(Event, frozen=True, kw_only=True):
    """It is time to compare the ranks of a board with its rows, wherever they are held."""

    board: str
