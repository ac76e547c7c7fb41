"""The project's keys, as they are shown, stored and rotated."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

KeyKind = Literal["anon", "admin"]
RotatableKey = Literal["api", "anon", "signing"]


class AnonToken(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The anon key, by the name of an older contract."""

    access_token: str
    message: str


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The API key."""

    api_key: str


class AnonKey(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The anon key."""

    anon_key: str


class ProjectKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The project's two keys, as clients send them."""

    anon_key: str
    admin_key: str


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it is stored."""

    id: UUID
    kind: KeyKind
    hash: bytes
    expires_at: datetime | None


class ApiKeyRotation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How long the API keys of today stay good beside the new one, in hours; 0 ends them at once."""

    grace_period_hours: Annotated[float, msgspec.Meta(ge=0, le=168)] = 24


class AnonKeyRotation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How long the anon keys of today stay good beside the new one, in hours; 0 ends them at once."""

    grace_period_hours: Annotated[float, msgspec.Meta(ge=0, le=720)] = 168


class RotatedKey(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A new key, and until when the old ones are good."""

    message: str
    api_key: str | UnsetType = UNSET
    anon_key: str | UnsetType = UNSET
    old_key_expires_at: str
    success: bool = True


class SigningKeyRotation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`compromised`: believe nothing that the old keys have signed; every client then refreshes its access token."""

    compromised: bool = False


class RotatedSigningKey(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The name of the key that signs from now on, and until when the old ones verify."""

    message: str
    key_id: str
    old_keys_verify_until: str
    success: bool = True
