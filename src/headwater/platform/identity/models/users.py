"""Users as the admin cares for them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from headwater.platform.identity.models.accounts import ListedSession, Password, User


class UserPage(msgspec.Struct, frozen=True, kw_only=True):
    """Which accounts to list: those whose address or name holds `search`."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 10
    offset: Annotated[int, msgspec.Meta(ge=0, le=2**62)] = 0
    search: str = ""


class UserIds(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Accounts to be removed."""

    user_ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=1000)]


class Pagination(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of how many."""

    offset: int
    limit: int
    total: int


class Users(msgspec.Struct, frozen=True, kw_only=True, rename={"users": "data"}):
    """A page of accounts, newest first."""

    users: list[User]
    pagination: Pagination


class Removed(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How many accounts are gone."""

    message: str
    deleted_count: int


class UserChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the admin changes of a user; what is left out stays. Profile and metadata are laid over the old ones."""

    user_id: UUID = msgspec.field(name="user_id")
    email: str | None = None
    password: Password | None = None
    email_verified: bool | None = None
    profile: dict[str, object] | None = None
    metadata: dict[str, object] | None = None


class Ban(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Keep a user out: until a moment, or for good where none is told."""

    user_id: UUID = msgspec.field(name="user_id")
    until: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    reason: Annotated[str, msgspec.Meta(max_length=500)] | None = None


class BannedUser(msgspec.Struct, frozen=True, kw_only=True):
    """Someone whose tokens are refused until a moment, in seconds since 1970."""

    id: str
    until: float


class UserSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session of a user, both named by the path."""

    user_id: UUID
    id: UUID


class SessionsOfUser(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A user's living sessions, the one used last first."""

    user_id: UUID
    sessions: list[ListedSession]


class EndedSessions(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How many sessions are over."""

    message: str
    ended_count: int
    success: bool = True
