"""What identity tells."""

from typing import ClassVar
from uuid import UUID

from headwater.kernel.models import Event


class UserCreated(Event, frozen=True, kw_only=True):
    """Someone has an account now."""

    durable: ClassVar[bool] = True

    user_id: UUID
    email: str | None
    """None where nobody has proven one: anonymous users, and some of other issuers."""


class UserUpgraded(Event, frozen=True, kw_only=True):
    """An anonymous user has said who he is; the account and all that is his are the same."""

    durable: ClassVar[bool] = True

    user_id: UUID
    email: str


class EmailChanged(Event, frozen=True, kw_only=True):
    """An account has another address."""

    durable: ClassVar[bool] = True

    user_id: UUID
    email: str


class UserBannedUntil(Event, frozen=True, kw_only=True):
    """A user is kept out until a moment, or no longer if there is none."""

    durable: ClassVar[bool] = True

    user_id: UUID
    until: str | None


class UserRemoved(Event, frozen=True, kw_only=True):
    """An account is gone, and with it everything that refers to it."""

    durable: ClassVar[bool] = True

    user_id: UUID


class ProfileChanged(Event, frozen=True, kw_only=True):
    """A user shows himself differently."""

    user_id: UUID
