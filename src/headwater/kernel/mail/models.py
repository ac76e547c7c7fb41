"""Letters, and the accounts they are sent by."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

Tls = Literal["auto", "implicit", "starttls", "opportunistic"]


class MailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_MAIL: `development` keeps every letter in the development mailbox, `off` refuses every letter.

    Unset, letters go by SMTP where an account is configured, and into the development mailbox where none is, as long
    as the server listens to this machine alone.
    """

    mode: Annotated[Literal["development", "off"] | None, msgspec.Meta(extra={"env": ("HEADWATER_MAIL",)})] = None


class SmtpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_SMTP_*: the account used while the admin has entered none; times in seconds."""

    host: str | None = None
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 587
    username: str = ""
    password: str | None = None
    sender_email: str = ""
    """Whom letters are from; unset, the user name."""
    sender_name: str = ""
    tls: Tls = "auto"
    """`auto`: from the first byte on port 465, demanded on 587, used elsewhere if the server offers it."""
    min_interval_seconds: Annotated[int, msgspec.Meta(ge=0)] = 60
    """Between two letters of ours to one address that strangers can ask for."""
    timeout: Annotated[float, msgspec.Meta(gt=0)] = 20.0


class SmtpAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A way to send letters."""

    host: str
    port: int
    username: str
    password: str | None
    sender_email: str
    sender_name: str
    min_interval_seconds: int
    tls: Tls = "auto"


class StoredSmtpAccount(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The account the admin has entered, as he sees it again: everything but its password.

    Times in ISO 8601 with milliseconds.
    """

    id: UUID
    enabled: bool
    host: str
    port: int
    username: str
    has_password: bool
    sender_email: str
    sender_name: str
    min_interval_seconds: int
    created_at: str
    updated_at: str


class SmtpChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The account as the admin enters it; without a password the one that is stored stays."""

    enabled: bool
    host: Annotated[str, msgspec.Meta(max_length=253)] = ""
    port: Literal[25, 465, 587, 2525] = 587
    username: Annotated[str, msgspec.Meta(max_length=255)] = ""
    password: Annotated[str, msgspec.Meta(max_length=1024)] | UnsetType | None = UNSET
    sender_email: Annotated[str, msgspec.Meta(max_length=254)] = ""
    sender_name: Annotated[str, msgspec.Meta(max_length=100)] = ""
    min_interval_seconds: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 60
    try_connection: bool = True
    """Whether an enabled account is tried first, as far as signing in."""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter to be sent; without `text` one is made from the HTML.

    `id` makes its Message-ID, the same at every attempt, so that a letter sent twice is known to be one.
    """

    id: str
    to: tuple[str, ...]
    subject: str
    html: str
    text: str | None = None
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: str | None = None
    sender_name: str | None = None


class ReceivedLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter in the development mailbox."""

    received_at: datetime
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str
