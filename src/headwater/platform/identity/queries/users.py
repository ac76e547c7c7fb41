"""Statements about users as the admin cares for them: changed, banned, told apart by what became of them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from headwater.kernel.database import ReadingTransaction, WritingTransaction
from headwater.platform.identity.errors import EmailExists
from headwater.platform.identity.models import BannedUser, UserChange

LIST_BANNED = """
select id, extract(epoch from banned_until)::float8 as until from auth.users
where banned_until > $1 order by banned_until
"""
PUT_BAN = "update auth.users set banned_until = $2, ban_reason = $3, updated_at = $4 where id = $1"
UPDATE_USER = """
update auth.users set
  email = coalesce($2, email),
  email_verified = coalesce($3, email_verified),
  profile = case when $4::jsonb is null then profile else coalesce(profile, '{}') || $4 end,
  metadata = case when $5::jsonb is null then metadata else coalesce(metadata, '{}') || $5 end,
  is_anonymous = is_anonymous and $2 is null,
  updated_at = $6
where id = $1
"""
ADMIT = """
select id from auth.users where id = $1 and (banned_until is null or banned_until <= $2) for share
"""
REMOVE_FAILURES_OF = """
delete from auth.failed_logins where name in (
  select 'account:user:' || lower(u.email) from auth.users u where u.id = any($1::uuid[])
)
"""


async def list_banned(tx: ReadingTransaction) -> list[BannedUser]:
    """Everyone who is banned now."""
    return [BannedUser(id=str(row["id"]), until=row["until"]) for row in await tx.rows(LIST_BANNED, tx.now)]


async def put_ban(tx: WritingTransaction, user_id: UUID, until: datetime | None, reason: str | None) -> bool:
    """Ban a user until a moment, or lift the ban; whether there is such a user."""
    return await tx.execute(PUT_BAN, user_id, until, reason, tx.now) == 1


async def update_user(tx: WritingTransaction, user_id: UUID, email: str | None, change: UserChange) -> bool:
    """Change what is told and leave the rest; whether there is such a user. Raises `EmailExists`."""
    changes = (email, change.email_verified, _json(change.profile), _json(change.metadata))
    try:
        return await tx.execute(UPDATE_USER, user_id, *changes, tx.now) == 1
    except asyncpg.UniqueViolationError as failure:
        raise EmailExists from failure


async def may_begin_session(tx: WritingTransaction, user_id: UUID) -> bool:
    """Whether the user is there and not banned; a ban that is on its way waits, and then finds the session."""
    return await tx.value(ADMIT, user_id, tx.now) is not None


async def remove_failures_of(tx: WritingTransaction, user_ids: Sequence[UUID]) -> None:
    """Forget how often sign-ins to these accounts failed."""
    await tx.execute(REMOVE_FAILURES_OF, user_ids)


def _json(value: dict[str, object] | None) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
