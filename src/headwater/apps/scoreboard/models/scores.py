"""Scores and places, as they are asked for and told."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from headwater.apps.scoreboard.models.accounts import DEFAULT_BOARD, LARGEST_SCORE
from headwater.apps.scoreboard.models.actions import Key
from headwater.apps.scoreboard.models.boards import LARGEST_COUNT, Name
from headwater.kernel.sockets import Socket

_Limit = Annotated[int, msgspec.Meta(ge=1, le=100)]


class Place(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A player's place on a board."""

    rank: int
    user_id: UUID
    username: str
    score: int
    last_updated: str


class Scoreboard(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The places asked for, and how many there are in all; `last_updated` is the newest change among the places."""

    scoreboard: tuple[Place, ...]
    total_users: int
    last_updated: str | None


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """Which places of a board."""

    board: Name = DEFAULT_BOARD
    offset: Annotated[int, msgspec.Meta(ge=0, le=LARGEST_COUNT)] = 0
    limit: _Limit = 10


class PlayerOnBoard(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A player and a board."""

    user_id: UUID
    board: Name = DEFAULT_BOARD


class OwnStanding(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A player's score and place; no place where he is hidden or has no score yet."""

    user_id: UUID
    username: str
    score: int
    rank: int | None
    total_users: int


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """How many places before and after the caller's own."""

    board: Name = DEFAULT_BOARD
    above: Annotated[int, msgspec.Meta(ge=0, le=50)] = 5
    below: Annotated[int, msgspec.Meta(ge=0, le=50)] = 5


class Friends(msgspec.Struct, frozen=True, kw_only=True):
    """A comma-separated list of players, at most a hundred; the caller is always among them."""

    users: Annotated[str, msgspec.Meta(max_length=4000)] = ""
    board: Name = DEFAULT_BOARD


class Adjustment(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An admin's correction: so many points more, or less."""

    board: Name
    user_id: UUID
    points: Annotated[int, msgspec.Meta(ge=-LARGEST_SCORE, le=LARGEST_SCORE)]
    idempotency_key: Key | None = None
    header_key: Key | None = msgspec.field(name="Idempotency-Key", default=None)

    @property
    def key(self) -> str | None:
        """The idempotency key, the header's before the body's."""
        return self.header_key or self.idempotency_key


class ScoreRow(msgspec.Struct, frozen=True, kw_only=True):
    """A score as it is stored."""

    user_id: UUID
    score: int
    standing: int
    reached_at: datetime
    revision: int
    season: int
    hidden: bool


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """Which board a socket watches."""

    board: Name = DEFAULT_BOARD


class Ping(msgspec.Struct, frozen=True, kw_only=True):
    """A watcher asks whether the server is there."""

    socket: Socket
