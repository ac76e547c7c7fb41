"""Players, and how they come in."""

from typing import Annotated, Final
from uuid import UUID

import msgspec

TOKEN_LIFETIME: Final = 24 * 3600.0
"""Seconds that a player's token is good (contracts/scoreboard.md)."""
DEFAULT_BOARD: Final = "default"
LARGEST_SCORE: Final = 2**53 - 1
"""Beyond it clients that keep numbers as doubles would read another score."""

_Username = Annotated[str, msgspec.Meta(min_length=3, max_length=50, pattern=r"^[\w.-]+$(?!\n)")]
_Password = Annotated[str, msgspec.Meta(max_length=1024)]


class ScoreboardSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_SCOREBOARD_*; times in seconds."""

    actions: tuple[str, ...] = ("complete_task:10", "win_match:50", "daily_visit:5")
    """The action types that clients may name, each with its points."""
    action_lifetime: Annotated[float, msgspec.Meta(gt=0)] = 300.0
    """How long a signed action may be posted back."""
    updates_per_second: Annotated[float, msgspec.Meta(gt=0, le=100)] = 10.0
    """How many updates of a board its watchers are told at most; the newest always comes."""
    watchers: Annotated[int, msgspec.Meta(ge=1)] = 20_000
    """How many sockets may watch, on each process."""
    keep_actions_days: Annotated[float, msgspec.Meta(gt=0)] = 90.0
    """How long the log of actions is kept; an action cannot be posted twice, because it expires much earlier."""
    keep_seasons: Annotated[int, msgspec.Meta(ge=0)] = 52
    """How many archived seasons of a board are kept."""


class NewPlayer(msgspec.Struct, frozen=True, kw_only=True):
    """An account to be made."""

    username: _Username
    email: str
    password: _Password
    address: str = ""
    agent: str = ""


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """A player at the door."""

    email: str
    password: _Password
    address: str = ""
    agent: str = ""


class Player(msgspec.Struct, frozen=True, kw_only=True):
    """Who plays; `email` is told to himself alone."""

    id: UUID
    username: str
    email: str


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A token for the `Authorization: Bearer` header, good for 24 hours."""

    token: str
    user: Player


class RemovedUser(msgspec.Struct, frozen=True):
    """What is read of identity's `UserRemoved`."""

    user_id: UUID


class PlayerChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What an admin changes of a player: a hidden one keeps his scores and is on no board."""

    user_id: UUID
    hidden: bool
