"""Statements about one's own account: proven, exported, upgraded, its address changed."""

from datetime import datetime
from uuid import UUID

import asyncpg

from headwater.kernel.database import ReadingTransaction, WritingTransaction
from headwater.platform.identity.errors import EmailExists
from headwater.platform.identity.models import EmailChange, ExportedProvider, PendingEmailChange

_MOMENT = """to_char({} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""

FIND_SESSION_START = "select created_at from auth.sessions where id = $1 and user_id = $2"
LIST_PROVIDERS = f"""
select provider, provider_account_id, {_MOMENT.format("created_at")} as created_at
from auth.user_providers where user_id = $1 order by auth.user_providers.created_at, id
"""
FIND_PASSWORD_CHANGE = f"select {_MOMENT.format('updated_at')} from auth.passwords where user_id = $1"
FIND_FAILURES = "select failures from auth.failed_logins where name = $1 and resets_at > $2"
FIND_PENDING = f"""
select new_email, {_MOMENT.format("created_at")} as created_at, {_MOMENT.format("expires_at")} as expires_at
from auth.email_changes where user_id = $1 and expires_at > $2
"""
UPGRADE_USER = """
update auth.users set email = $2, is_anonymous = false, updated_at = $4,
  profile = case when $3::text is null then profile else coalesce(profile, '{}') || jsonb_build_object('name', $3) end
where id = $1 and is_anonymous
"""
PUT_EMAIL = """
update auth.users set email = $2, email_verified = true, is_anonymous = false, updated_at = $3 where id = $1
"""
PUT_EMAIL_CHANGE = """
insert into auth.email_changes
  (user_id, new_email, current_confirmed, new_confirmed, created_at, expires_at)
values ($1, $2, $3, false, $4, $5)
on conflict (user_id) do update set new_email = excluded.new_email, current_code = null, new_code = null,
  current_confirmed = excluded.current_confirmed, new_confirmed = false, attempts = 0,
  created_at = excluded.created_at, expires_at = excluded.expires_at
"""
PUT_EMAIL_CODES = "update auth.email_changes set current_code = $2, new_code = $3 where user_id = $1"
LOCK_EMAIL_CHANGE = """
select user_id, new_email, current_code, new_code, current_confirmed, new_confirmed, attempts
from auth.email_changes where user_id = $1 and expires_at > $2 for no key update
"""
LOCK_RIVALS = """
select user_id from auth.email_changes
where lower(new_email) = (select lower(new_email) from auth.email_changes where user_id = $1)
order by user_id for no key update
"""
CONFIRM_EMAIL_CHANGE = """
update auth.email_changes set current_confirmed = current_confirmed or $2, new_confirmed = new_confirmed or $3,
  attempts = attempts + $4
where user_id = $1
"""
REMOVE_EMAIL_CHANGE = "delete from auth.email_changes where user_id = $1"


async def find_session_start(tx: ReadingTransaction, session_id: UUID, user_id: UUID) -> datetime | None:
    """When a session of this user began."""
    return await tx.value(FIND_SESSION_START, session_id, user_id)


async def list_providers(tx: ReadingTransaction, user_id: UUID) -> list[ExportedProvider]:
    """Who else vouches for a user."""
    return [ExportedProvider(**dict(row.items())) for row in await tx.rows(LIST_PROVIDERS, user_id)]


async def find_password_change(tx: ReadingTransaction, user_id: UUID) -> str | None:
    """When the password was last changed."""
    return await tx.value(FIND_PASSWORD_CHANGE, user_id)


async def find_failures(tx: ReadingTransaction, name: str) -> int:
    """How many sign-ins of a name count as failed now."""
    return await tx.value(FIND_FAILURES, name, tx.now) or 0


async def find_pending_email_change(tx: ReadingTransaction, user_id: UUID) -> PendingEmailChange | None:
    """The change of address that is not confirmed yet."""
    row = await tx.row(FIND_PENDING, user_id, tx.now)
    return None if row is None else PendingEmailChange(**dict(row.items()))


async def upgrade_user(tx: WritingTransaction, user_id: UUID, email: str, name: str | None) -> bool:
    """Give an anonymous user an address; whether he was anonymous. Raises `EmailExists`."""
    try:
        return await tx.execute(UPGRADE_USER, user_id, email, name, tx.now) == 1
    except asyncpg.UniqueViolationError as failure:
        raise EmailExists from failure


async def put_email(tx: WritingTransaction, user_id: UUID, email: str) -> None:
    """Give a user an address that is proven his; raises `EmailExists`."""
    try:
        await tx.execute(PUT_EMAIL, user_id, email, tx.now)
    except asyncpg.UniqueViolationError as failure:
        raise EmailExists from failure


async def put_email_change(
    tx: WritingTransaction, user_id: UUID, new_email: str, expires_at: datetime, *, has_none: bool
) -> None:
    """Remember a change of address, in the place of an earlier one; `has_none` where there is none to confirm."""
    await tx.execute(PUT_EMAIL_CHANGE, user_id, new_email, has_none, tx.now, expires_at)


async def put_email_codes(tx: WritingTransaction, user_id: UUID, current: bytes, new: bytes) -> None:
    """Remember the hashes of the codes that are being sent."""
    await tx.execute(PUT_EMAIL_CODES, user_id, current, new)


async def lock_email_change(tx: WritingTransaction, user_id: UUID) -> EmailChange | None:
    """The change of address that waits, locked, so that wrong codes are counted one after the other."""
    row = await tx.row(LOCK_EMAIL_CHANGE, user_id, tx.now)
    return None if row is None else EmailChange(**dict(row.items()))


async def lock_rivals(tx: WritingTransaction, user_id: UUID) -> None:
    """Let everybody who wants the same address as a user wait, always in the same order."""
    await tx.rows(LOCK_RIVALS, user_id)


async def confirm_email_change(tx: WritingTransaction, user_id: UUID, *, current: bool, new: bool, wrong: int) -> None:
    """Note which codes came, and how many were wrong."""
    await tx.execute(CONFIRM_EMAIL_CHANGE, user_id, current, new, wrong)


async def remove_email_change(tx: WritingTransaction, user_id: UUID) -> None:
    """Forget a change of address."""
    await tx.execute(REMOVE_EMAIL_CHANGE, user_id)
