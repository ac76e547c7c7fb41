"""What one may do with one's own account."""

from typing import Annotated
from uuid import UUID

import msgspec

from headwater.platform.identity.models.accounts import FromDevice, ListedSession, Password, User


class PasswordChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A new password in place of the current one."""

    current_password: Password
    new_password: Password
    address: str = ""


class AccountRemoval(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The end of one's own account; the password may be left out in a session that has only just begun."""

    password: Password | None = None
    address: str = ""


class ExportedProvider(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Someone else who vouches for a user, and by what name he knows him."""

    provider: str
    provider_account_id: str
    created_at: str | None


class PendingEmailChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A change of address that is not confirmed yet."""

    new_email: str
    created_at: str
    expires_at: str


class AccountExport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Everything identity holds about a user, except what would let someone in."""

    exported_at: str
    user: User
    providers: list[ExportedProvider]
    sessions: list[ListedSession]
    password_changed_at: str | None
    failed_sign_ins: int
    pending_email_change: PendingEmailChange | None


class AnonymousSignIn(FromDevice, frozen=True, kw_only=True, rename="camel"):
    """Someone who does not say who he is."""

    profile: dict[str, object] = msgspec.field(default_factory=dict[str, object])


class Upgrade(FromDevice, frozen=True, kw_only=True, rename="camel"):
    """An address and a password for an account that had none."""

    email: str
    password: Password
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None
    redirect_to: Annotated[str, msgspec.Meta(max_length=2048)] | None = None


class EmailChangeRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Another address; the password may be left out in a session that has only just begun."""

    new_email: str
    password: Password | None = None
    address: str = ""


class EmailChangeToSend(msgspec.Struct, frozen=True, kw_only=True):
    """Letters to be written: the codes in them are made when they are sent, so that no queue ever holds one."""

    user_id: UUID


class EmailChangeCodes(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What came by mail: the code to the address of today, the code to the new one, or both."""

    current_code: Annotated[str, msgspec.Meta(max_length=16)] | None = None
    new_code: Annotated[str, msgspec.Meta(max_length=16)] | None = None


class EmailChangeState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How far a change of address has come; `changed` once both have confirmed."""

    new_email: str
    current_confirmed: bool
    new_confirmed: bool
    changed: bool


class EmailChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change of address as it is stored."""

    user_id: UUID
    new_email: str
    current_code: bytes | None
    new_code: bytes | None
    current_confirmed: bool
    new_confirmed: bool
    attempts: int
