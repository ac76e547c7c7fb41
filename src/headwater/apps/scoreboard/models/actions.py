"""Actions: asked for, signed by the server, posted back once."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from headwater.apps.scoreboard.models.accounts import DEFAULT_BOARD
from headwater.apps.scoreboard.models.boards import Name

_Short = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Key = Annotated[str, msgspec.Meta(pattern=r"^[ -~]{1,255}$(?!\n)")]


class ActionType(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a client may say was done, and the points that it brings."""

    action_type: str
    points: int


class AskedAction(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is about to be done: an action type that the server knows, or points up to the board's ceiling."""

    score_increment: Annotated[int, msgspec.Meta(ge=1)] | None = None
    action_type: Annotated[str, msgspec.Meta(min_length=1, max_length=50)] | None = None
    board: Name = DEFAULT_BOARD


class Action(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An action as the server signed it: to be posted back whole and unchanged, once, before it expires."""

    action_id: str
    score_increment: int
    timestamp: str
    action_hash: str
    board: str
    action_type: str | UnsetType = UNSET
    expires_at: str


class ActionToCount(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An action that comes back; address and device come from the request's address and headers alone."""

    action_id: _Short
    score_increment: int
    timestamp: _Short
    action_hash: _Short
    board: Name = DEFAULT_BOARD
    action_type: _Short | None = None
    expires_at: _Short | None = None
    idempotency_key: Key | None = None
    header_key: Key | None = msgspec.field(name="Idempotency-Key", default=None)
    address: str = ""
    device: Annotated[str, msgspec.Meta(max_length=200)] | None = None

    @property
    def key(self) -> str | None:
        """The idempotency key, the header's before the body's."""
        return self.header_key or self.idempotency_key


class Counted(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What an action came to."""

    user_id: UUID
    new_score: int
    rank: int | None
    """None for a player who is hidden."""
    message: str = "Score updated successfully"


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which of a player's actions are listed: those before one of them, the newest first."""

    user_id: UUID
    board: Name = DEFAULT_BOARD
    before: Annotated[str, msgspec.Meta(pattern=r"^[\w-]{1,200}$(?!\n)")] | None = None
    """An action's id, the last of the page before."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One action that counted, and the score it led to."""

    action_id: str
    action_type: str | None
    points: int
    score: int
    season: int
    at: datetime


class History(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A player's actions on a board, the newest first."""

    user_id: UUID
    board: str
    actions: tuple[HistoryEntry, ...]
