"""What goes into identity's mail and what comes out."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from headwater.platform.identity.models.accounts import FromDevice, Password, PasswordRules, PublicConfig

Purpose = Literal["VERIFY_EMAIL", "RESET_PASSWORD", "SIGN_IN"]
Method = Literal["code", "link"]
TemplateType = Literal[
    "email-verification-code", "email-verification-link", "reset-password-code", "reset-password-link", "request-otp"
]
_Count = Annotated[int, msgspec.Meta(ge=1)]
_Code = Annotated[str, msgspec.Meta(max_length=128)]
_Redirect = Annotated[str, msgspec.Meta(max_length=2048)]


class MailingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_MAILING_*; times in seconds."""

    code_lifetime: float = 900.0
    otp_lifetime: float = 300.0
    """Of a code to sign in with."""
    link_lifetime: float = 86_400.0
    attempts: _Count = 3
    """Wrong ones after which a code is no longer good."""
    sends_per_network: _Count = 5
    """Letters one network may ask for within the window."""
    guesses: _Count = 10
    """Wrong codes of one network, and for one address, within the window."""
    raw_recipients: _Count = 100
    """To how many addresses one user may write within the window."""
    window: float = 900.0


class Addressed(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A letter that is asked for; `redirect_to` is where its link leads at last."""

    email: str
    redirect_to: _Redirect | None = None
    address: str = ""


class CodeToSend(msgspec.Struct, frozen=True, kw_only=True):
    """A letter to be written: the code or token in it is made when it is sent, so that no queue ever holds one."""

    email: str
    purpose: Purpose
    redirect_to: str | None = None


class EmailVerification(FromDevice, frozen=True, kw_only=True, rename="camel"):
    """A code that shows whose the address is."""

    email: str
    otp: _Code


class ResetCode(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A code that is exchanged for a token."""

    email: str
    code: _Code
    address: str = ""


class ResetToken(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A token that a new password may be set with, and until when."""

    token: str
    expires_at: str


class PasswordReset(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A new password, and the token that allows it."""

    new_password: Password
    otp: _Code
    address: str = ""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence for people."""

    message: str


class LinkToken(msgspec.Struct, frozen=True, kw_only=True):
    """A link from a letter that was followed."""

    token: _Code = ""
    address: str = ""


class Landing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a browser is sent on to."""

    url: str


class AwaitsVerification(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An account was made, and its owner must show that the address is his."""

    access_token: None = None
    require_email_verification: bool = True


class StoredCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code or token as it is stored."""

    id: UUID
    email: str
    purpose: Purpose
    otp_hash: str
    otp_type: Literal["NUMERIC_CODE", "HASH_TOKEN"]
    expires_at: datetime
    consumed_at: datetime | None
    redirect_to: str | None
    attempts_count: int


class AuthConfig(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How people come in here: what the admin has said, over what the environment says."""

    id: UUID
    require_email_verification: bool
    password_min_length: int
    require_number: bool
    require_lowercase: bool
    require_uppercase: bool
    require_special_char: bool
    verify_email_method: Method
    reset_password_method: Method
    allowed_redirect_urls: tuple[str, ...]
    disable_signup: bool
    created_at: str
    updated_at: str

    @property
    def password_rules(self) -> PasswordRules:
        """What a new password must have."""
        return PasswordRules(
            min_length=self.password_min_length,
            number=self.require_number,
            lowercase=self.require_lowercase,
            uppercase=self.require_uppercase,
            special_char=self.require_special_char,
        )

    @property
    def public(self) -> PublicConfig:
        """What a sign-in page must know."""
        return PublicConfig(
            require_email_verification=self.require_email_verification,
            password_min_length=self.password_min_length,
            require_number=self.require_number,
            require_lowercase=self.require_lowercase,
            require_uppercase=self.require_uppercase,
            require_special_char=self.require_special_char,
            verify_email_method=self.verify_email_method,
            reset_password_method=self.reset_password_method,
            disable_signup=self.disable_signup,
        )


class ConfigRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the admin has said; None where the environment decides."""

    id: UUID
    require_email_verification: bool
    password_min_length: int | None
    require_number: bool | None
    require_lowercase: bool | None
    require_uppercase: bool | None
    require_special_char: bool | None
    verify_email_method: Method
    reset_password_method: Method
    allowed_redirect_urls: tuple[str, ...]
    disable_signup: bool | None
    created_at: str
    updated_at: str


class ConfigChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the admin says anew; what he leaves out stays."""

    require_email_verification: bool | UnsetType = UNSET
    password_min_length: Annotated[int, msgspec.Meta(ge=4, le=128)] | UnsetType = UNSET
    require_number: bool | UnsetType = UNSET
    require_lowercase: bool | UnsetType = UNSET
    require_uppercase: bool | UnsetType = UNSET
    require_special_char: bool | UnsetType = UNSET
    verify_email_method: Method | UnsetType = UNSET
    reset_password_method: Method | UnsetType = UNSET
    allowed_redirect_urls: Annotated[tuple[_Redirect, ...], msgspec.Meta(max_length=100)] | UnsetType = UNSET
    disable_signup: bool | UnsetType = UNSET


class SmtpConfig(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The SMTP account as the admin has entered it; without id and times while none is."""

    id: UUID | None = None
    enabled: bool = False
    host: str = ""
    port: int = 587
    username: str = ""
    has_password: bool = False
    sender_email: str = ""
    sender_name: str = ""
    min_interval_seconds: int = 60
    created_at: str | None = None
    updated_at: str | None = None


class Template(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How a letter is worded; times in ISO 8601 with milliseconds."""

    id: UUID
    template_type: TemplateType
    subject: str
    body_html: str
    created_at: str
    updated_at: str


class Templates(msgspec.Struct, frozen=True, kw_only=True, rename={"templates": "data"}):
    """Every template."""

    templates: list[Template]


class TemplateChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Other words for a letter."""

    template_type: TemplateType
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    body_html: Annotated[str, msgspec.Meta(min_length=1, max_length=100_000)]


_Addresses = Annotated[str, msgspec.Meta(max_length=254)] | Annotated[list[str], msgspec.Meta(max_length=50)]


class RawLetter(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A letter in a user's own words."""

    to: _Addresses
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    html: Annotated[str, msgspec.Meta(min_length=1, max_length=500_000)]
    cc: _Addresses | None = None
    bcc: _Addresses | None = None
    sender_name: Annotated[str, msgspec.Meta(max_length=100)] | None = msgspec.field(default=None, name="from")
    reply_to: Annotated[str, msgspec.Meta(max_length=254)] | None = None


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """It is on its way; there is nothing to tell."""
