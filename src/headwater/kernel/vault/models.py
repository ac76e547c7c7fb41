"""What the vault is told and what it tells."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec


class VaultSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_ENCRYPTION_KEY: at least 32 characters; unset, a key file lies in the data folder."""

    encryption_key: Annotated[str | None, msgspec.Meta(extra={"env": ("HEADWATER_ENCRYPTION_KEY",)})] = None


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """What may be told of a secret: everything but its value."""

    id: UUID
    name: str
    is_active: bool
    is_reserved: bool
    created_at: datetime
    updated_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
