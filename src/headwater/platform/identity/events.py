"""What identity tells."""

from typing import ClassVar
from uuid import UUID

from headwater.kernel.models import Event


class UserCreated(Event, frozen=True, kw_only=True):
    """Someone has an account now."""

    durable: ClassVar[bool] = True

    user_id: UUID
    email: str


class UserRemoved(Event, frozen=True, kw_only=True):
    """An account is gone, and with it everything that refers to it."""

    durable: ClassVar[bool] = True

    user_id: UUID


class ProfileChanged(Event, frozen=True, kw_only=True):
    """A user shows himself differently."""

    user_id: UUID
