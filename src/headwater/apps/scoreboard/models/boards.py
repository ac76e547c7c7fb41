"""Boards: what counts on each, in what order, and when it begins anew."""

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,49}$(?!\n)")]
"""`$` alone lets a line end pass."""
Operator = Literal["increment", "best", "set"]
Resets = Literal["none", "daily", "weekly", "monthly"]
LARGEST_COUNT: Final = 2**31 - 1
"""The most that Postgres' `integer` holds."""
_Title = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]
_Count = Annotated[int, msgspec.Meta(ge=1, le=LARGEST_COUNT)]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Board(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A board as it is now; moments in ISO 8601."""

    name: str
    title: str
    operator: Operator
    ascending: bool
    """Whether the smallest score leads."""
    resets: Resets
    zone: str
    ceiling: int
    """The most points that one action may bring without an action type."""
    season: int
    season_began: datetime
    next_reset: datetime | None
    starts_at: datetime | None
    ends_at: datetime | None
    entry_limit: int | None


class NewBoard(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A board to be opened; with a start, an end or a limit of entries it is a tournament."""

    name: Name
    title: _Title | None = None
    operator: Operator = "increment"
    ascending: bool = False
    resets: Resets = "none"
    zone: Annotated[str, msgspec.Meta(max_length=64)] = "UTC"
    ceiling: _Count = 1000
    starts_at: _Moment | None = None
    ends_at: _Moment | None = None
    entry_limit: _Count | None = None


class BoardName(msgspec.Struct, frozen=True, kw_only=True):
    """A board, named by the path."""

    board: Name


class BoardChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What of a board changes; its order and its operator never do, because its scores were made by them."""

    board: Name
    title: _Title | None = None
    ceiling: _Count | None = None
    ends_at: _Moment | UnsetType | None = UNSET
    """null: it has no end any more."""


class Season(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One of a board's seasons that is over, or runs."""

    season: int
    players: int
    current: bool
    last_updated: str
    """When its newest place was reached."""


class SeasonScores(msgspec.Struct, frozen=True, kw_only=True):
    """A slice of one season."""

    board: Name
    season: _Count
    offset: Annotated[int, msgspec.Meta(ge=0, le=LARGEST_COUNT)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 10


class HoursAsked(msgspec.Struct, frozen=True, kw_only=True):
    """How far back a board's activity is asked for."""

    board: Name
    hours: Annotated[int, msgspec.Meta(ge=1, le=24 * 31)] = 24


class Hour(msgspec.Struct, frozen=True, kw_only=True):
    """What happened on a board in one hour."""

    hour: datetime
    actions: int
    points: int
