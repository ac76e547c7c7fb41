"""What an action is worth."""

from collections.abc import Mapping, Sequence

from headwater.apps.scoreboard.errors import InvalidIncrement, UnknownActionType
from headwater.apps.scoreboard.models import AskedAction, Board


def price_list(settings: Sequence[str]) -> dict[str, int]:
    """The points of each action type, from entries `type:points`. Raises `ValueError` for one that is none."""
    prices: dict[str, int] = {}
    for entry in settings:
        action_type, _, points = entry.rpartition(":")
        if not action_type or not points.isdecimal() or int(points) < 1:
            raise ValueError(f"HEADWATER_SCOREBOARD_ACTIONS: {entry!r} must read type:points")
        prices[action_type] = int(points)
    return prices


def points_of(asked: AskedAction, board: Board, prices: Mapping[str, int]) -> int:
    """The points to sign for: the server's own for an action type, else what is asked for up to the board's ceiling.

    Raises `UnknownActionType`, `InvalidIncrement`.
    """
    if asked.action_type is not None:
        known = prices.get(asked.action_type)
        if known is None:
            raise UnknownActionType(action_type=asked.action_type)
        if asked.score_increment not in (None, known):
            raise InvalidIncrement(reason=f"{asked.action_type} brings {known}")
        return known
    if asked.score_increment is None:
        raise InvalidIncrement(reason="Required, or an actionType")
    if asked.score_increment > board.ceiling:
        raise InvalidIncrement(reason=f"must be from 1 to {board.ceiling}")
    return asked.score_increment
