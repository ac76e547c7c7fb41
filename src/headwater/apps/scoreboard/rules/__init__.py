"""The decisions of the scoreboard."""

from headwater.apps.scoreboard.rules.calendar import (
    is_due,
    must_be_in_order,
    must_be_open,
    must_be_zone,
    must_make_sense,
    next_reset,
)
from headwater.apps.scoreboard.rules.players import friends_of, is_reserved, player_of, username_for
from headwater.apps.scoreboard.rules.points import points_of, price_list

__all__ = [
    "friends_of",
    "is_due",
    "is_reserved",
    "must_be_in_order",
    "must_be_open",
    "must_be_zone",
    "must_make_sense",
    "next_reset",
    "player_of",
    "points_of",
    "price_list",
    "username_for",
]
