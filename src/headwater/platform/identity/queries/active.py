"""Statements about who is here just now."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from headwater.kernel.database import ReadingTransaction
from headwater.platform.identity.models import Profile
from headwater.platform.identity.queries.accounts import profile_of

LIST_ACTIVE_USERS = """
select s.user_id from auth.sessions s
where s.expires_at > $1 and s.user_id is not null
group by s.user_id order by max(s.expires_at) desc limit $2
"""
"""By when sessions expire, because that has an index and moves with every use."""
LIST_PROFILES = "select id, profile from auth.users where id = any($1::uuid[])"


async def list_active_users(tx: ReadingTransaction, expires_after: datetime, limit: int) -> list[UUID]:
    """Whose sessions expire after a moment, those used last first."""
    return [row["user_id"] for row in await tx.rows(LIST_ACTIVE_USERS, expires_after, limit)]


async def list_profiles(tx: ReadingTransaction, user_ids: Sequence[UUID]) -> list[Profile]:
    """What everyone may see of these users, as far as they are there."""
    rows = await tx.rows(LIST_PROFILES, list(user_ids))
    return [profile for profile in map(profile_of, rows) if profile is not None]
