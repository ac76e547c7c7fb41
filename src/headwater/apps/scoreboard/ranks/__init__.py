"""The order-statistics index of each board: exact ranks and neighbours, whatever the number of players."""

from headwater.apps.scoreboard.ranks.ranks import Ranks

__all__ = ["Ranks"]
