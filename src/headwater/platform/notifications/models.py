"""What goes into notifications and what comes out."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec


class NotificationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_NOTIFICATION_*."""

    keep_days: Annotated[float, msgspec.Meta(gt=0)] = 90.0
    """How long notices are kept, read or not."""


class NewNotice(msgspec.Struct, frozen=True, kw_only=True):
    """What a user is to be told; `source` names the occasion, of which he is told once."""

    user_id: UUID
    kind: str
    title: str
    body: str = ""
    details: dict[str, Any] = {}
    source: str | None = None


class Notice(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A notice as its user sees it."""

    id: UUID
    kind: str
    title: str
    body: str
    details: dict[str, Any]
    created_at: datetime
    read_at: datetime | None


class NoticePage(msgspec.Struct, frozen=True, kw_only=True):
    """Which notices are listed: those before one of them, perhaps only what is unread."""

    unread: bool = False
    before: UUID | None = None
    """A notice's id, the last of the page before."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50


class Notices(msgspec.Struct, frozen=True, kw_only=True):
    """A page of notices, the newest first; `unread` counts all that are."""

    notices: tuple[Notice, ...]
    unread: int


class NoticeId(msgspec.Struct, frozen=True, kw_only=True):
    """A notice, named by the path."""

    id: UUID


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """How many notices are read now that were not."""

    read: int
