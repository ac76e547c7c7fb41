"""What goes into identity and what comes out."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

ClientType = Literal["web", "mobile", "desktop", "server"]
SessionKind = Literal["user", "admin"]
Password = Annotated[str, msgspec.Meta(max_length=1024)]
_Origins = Annotated[
    tuple[str, ...],
    msgspec.Meta(extra={"env": ("HEADWATER_IDENTITY_ALLOWED_ORIGINS", "HEADWATER_FLOW_ALLOWED_ORIGINS")}),
]


def _from(*names: str) -> msgspec.Meta:
    return msgspec.Meta(extra={"env": names})


class IdentitySettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_IDENTITY_*; times in seconds."""

    admin_username: Annotated[
        str | None, _from("HEADWATER_IDENTITY_ADMIN_USERNAME", "HEADWATER_ADMIN_USERNAME", "ROOT_ADMIN_USERNAME")
    ] = None
    """Unset, the admin cannot sign in with a password."""
    admin_password: Annotated[
        str | None, _from("HEADWATER_IDENTITY_ADMIN_PASSWORD", "HEADWATER_ADMIN_PASSWORD", "ROOT_ADMIN_PASSWORD")
    ] = None
    api_key: Annotated[str | None, _from("HEADWATER_IDENTITY_API_KEY", "ACCESS_API_KEY")] = None
    """The API key of a new installation; unset, one is made."""
    anon_key: Annotated[str | None, _from("HEADWATER_IDENTITY_ANON_KEY", "ACCESS_ANON_KEY")] = None
    """The anon key of a new installation; unset, one is made."""
    access_lifetime: float = 900.0
    refresh_lifetime: float = 604_800.0
    repeat_window: float = 10.0
    """How long a replaced refresh token may be shown again by a client that never got the answer."""
    password_min_length: Annotated[int, msgspec.Meta(ge=4, le=128)] = 6
    require_number: bool = False
    require_lowercase: bool = False
    require_uppercase: bool = False
    require_special_char: bool = False
    breached_passwords: Path | None = None
    """A file of passwords that leaked: SHA-1 in hexadecimal, a line each, in order, such as Have I Been Pwned's."""
    breached_passwords_url: str | None = None
    """Where to ask for leaked passwords by the first five digits of their SHA-1; nothing more of them is told."""
    disable_signup: bool = False
    allow_anonymous: bool = False
    """Whether someone who does not say who he is may have an account."""
    anonymous_keep_days: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """How long an anonymous account is kept that nobody uses, with all that refers to it; unset, for ever."""
    anonymous_per_address: int = 30
    """How many such accounts one network may make in an hour."""
    fresh_session: float = 600.0
    """How long after a sign-in an account may be deleted, or its address changed, without its password."""
    email_change_lifetime: float = 900.0
    """How long the codes that confirm a change of address are good."""
    allowed_origins: _Origins = ()
    """Whose pages may use cookies here, besides loopback and the server's own."""
    hashing_threads: int = 2
    """How many passwords are hashed at once; each takes 19 MiB."""
    hashing_queue: int = 64
    """How many wait; beyond that callers are told 503."""
    failures_per_account: int = 10
    failures_per_address: int = 100
    failure_window: float = 900.0
    """How long failed sign-ins count."""

    @property
    def password_rules(self) -> "PasswordRules":
        """What a new password must have."""
        return PasswordRules(
            min_length=self.password_min_length,
            number=self.require_number,
            lowercase=self.require_lowercase,
            uppercase=self.require_uppercase,
            special_char=self.require_special_char,
        )


class PasswordRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a new password must have."""

    min_length: int = 6
    number: bool = False
    lowercase: bool = False
    uppercase: bool = False
    special_char: bool = False


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """Where a session is held."""

    client_type: ClientType
    address: str
    agent: str


class FromDevice(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What begins a session, and where."""

    client_type: ClientType = msgspec.field(default="web", name="client_type")
    address: str = ""
    agent: str = ""

    @property
    def device(self) -> Device:
        """Where the request came from."""
        return Device(client_type=self.client_type, address=self.address, agent=self.agent[:300])


class NewUser(FromDevice, frozen=True, kw_only=True, rename="camel"):
    """An account to be made; `auto_confirm` counts only when the admin asks."""

    email: str
    password: Password
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None
    redirect_to: str | None = None
    auto_confirm: bool = False


class Login(FromDevice, frozen=True, kw_only=True, rename="camel"):
    """A user at the door."""

    method: Literal["password", "otp"] = "password"
    email: str
    password: Password | None = None
    otp: str | None = None
    name: str | None = None


class AdminLogin(FromDevice, frozen=True, kw_only=True, rename="camel"):
    """The admin at the door."""

    username: Annotated[str, msgspec.Meta(max_length=255)]
    password: Password


class Presented(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A session shown again: by its cookie with a CSRF token, or by a refresh token in the body."""

    client_type: ClientType | None = msgspec.field(default=None, name="client_type")
    token: str | None = msgspec.field(default=None, name="refreshToken")
    token_too: str | None = msgspec.field(default=None, name="refresh_token")
    cookie: str | None = None
    csrf: str | None = None
    origin: str | None = None
    host: str | None = None

    @property
    def by_cookie(self) -> bool:
        """Whether the caller is a browser: it says so, or says nothing and brings no token itself."""
        return self.client_type == "web" or (self.client_type is None and self.written is None)

    @property
    def written(self) -> str | None:
        """The token in the body."""
        return self.token or self.token_too


class ProfileChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Fields that are laid over the profile's."""

    profile: dict[str, object]


class UserId(msgspec.Struct, frozen=True, kw_only=True):
    """A user, named by the path."""

    user_id: UUID


class SessionId(msgspec.Struct, frozen=True, kw_only=True):
    """A session, named by the path."""

    id: UUID


class User(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An account as its owner and the admin see it; times in ISO 8601 with milliseconds."""

    id: UUID
    email: str | None
    """None for an anonymous user, and for one of another issuer who has proven none."""
    email_verified: bool
    created_at: str
    updated_at: str
    providers: tuple[str, ...]
    profile: dict[str, object] | None
    metadata: dict[str, object]
    is_anonymous: bool | UnsetType = UNSET
    """Told of anonymous users only."""
    banned_until: str | UnsetType = UNSET
    """Told of users who are, or were, banned."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What everyone may see of a user."""

    id: UUID
    profile: dict[str, object] | None


class CurrentUser(msgspec.Struct, frozen=True, kw_only=True):
    """The signed-in user."""

    user: User


class Admin(msgspec.Struct, frozen=True, kw_only=True):
    """The admin, `local:` and his name."""

    sub: str


class CurrentAdmin(msgspec.Struct, frozen=True, kw_only=True):
    """The signed-in admin."""

    admin: Admin


class Session(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a sign-in answers: a browser gets the refresh token as a cookie, others in the body."""

    user: User | UnsetType = UNSET
    admin: Admin | UnsetType = UNSET
    access_token: str | None
    csrf_token: str | UnsetType = UNSET
    refresh_token: str | UnsetType = UNSET
    require_email_verification: bool | UnsetType = UNSET


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What the holder of a session receives; without a refresh token the session ends with its access token."""

    session_id: UUID
    holder: User | Admin
    client_type: ClientType
    csrf_token: str
    refresh_token: str | None
    token_lifetime: float | None = None
    """Seconds that its access tokens are good, where that is not the settings' time."""

    @property
    def kind(self) -> SessionKind:
        """Whose session it is."""
        return "user" if isinstance(self.holder, User) else "admin"


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A grant with its access token; `new` where the account was just made."""

    grant: Grant
    access_token: str
    new: bool = False

    @property
    def user(self) -> User:
        """Who signed in, where that is no admin."""
        assert isinstance(self.grant.holder, User)  # noqa: S101 - admins have verbs of their own
        return self.grant.holder


class ListedSession(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One of the caller's sessions."""

    id: UUID
    client_type: str
    address: str
    user_agent: str
    created_at: str
    last_used_at: str
    expires_at: str
    current: bool


class SessionList(msgspec.Struct, frozen=True, kw_only=True):
    """The caller's sessions, the one used last first."""

    sessions: list[ListedSession]


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """It is done."""

    message: str
    success: bool = True


class SignedOut(msgspec.Struct, frozen=True, kw_only=True):
    """A session is over; a browser is to give its cookie back."""

    kind: SessionKind
    by_cookie: bool


class PublicConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a sign-in page must know."""

    oauth_providers: tuple[str, ...] = msgspec.field(default=(), name="oAuthProviders")
    custom_oauth_providers: tuple[str, ...] = msgspec.field(default=(), name="customOAuthProviders")
    require_email_verification: bool = msgspec.field(default=False, name="requireEmailVerification")
    password_min_length: int = msgspec.field(default=6, name="passwordMinLength")
    require_number: bool = msgspec.field(default=False, name="requireNumber")
    require_lowercase: bool = msgspec.field(default=False, name="requireLowercase")
    require_uppercase: bool = msgspec.field(default=False, name="requireUppercase")
    require_special_char: bool = msgspec.field(default=False, name="requireSpecialChar")
    verify_email_method: Literal["code", "link"] = msgspec.field(default="code", name="verifyEmailMethod")
    reset_password_method: Literal["code", "link"] = msgspec.field(default="code", name="resetPasswordMethod")
    disable_signup: bool = msgspec.field(default=False, name="disableSignup")


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What a password is compared with; `imported` where the hash came with an import."""

    id: UUID
    email: str | None
    hash: str | None
    imported: bool


class ShownToken(msgspec.Struct, frozen=True, kw_only=True):
    """A refresh token that was shown, and its session; `current_` is of the token that is good now."""

    session_id: UUID
    kind: SessionKind
    subject: str
    user_id: UUID | None
    client_type: ClientType
    expires_at: datetime
    replaced_at: datetime | None
    current_hash: bytes | None
    current_until: datetime | None = None


class EndedSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session that is over, and until when access tokens of it would have been good, in seconds since 1970."""

    session_id: str
    access_until: float


class FailureCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many sign-ins of one name failed, and until when that counts."""

    name: str
    failures: int
    resets_at: datetime
