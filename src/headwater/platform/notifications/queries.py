"""Every statement of notifications."""

from datetime import datetime
from uuid import UUID

import msgspec

from headwater.kernel.database import ReadingTransaction, Row, WritingTransaction
from headwater.platform.notifications.models import NewNotice, Notice

ADD_NOTICE = """
insert into notifications.notices (user_id, kind, title, body, details, source, created_at)
values ($1, $2, $3, $4, $5::jsonb, $6, $7) on conflict do nothing returning id
"""
LIST_NOTICES = """
select id, kind, title, body, details::text as details, created_at, read_at from notifications.notices
where user_id = $1 and ($2::uuid is null or position < (
  select last.position from notifications.notices last where last.id = $2 and last.user_id = $1
)) and not ($3 and read_at is not null)
order by position desc limit $4
"""
COUNT_UNREAD = "select count(*) from notifications.notices where user_id = $1 and read_at is null"
READ_ONE = """
update notifications.notices set read_at = coalesce(read_at, $3) where user_id = $1 and id = $2
returning id, kind, title, body, details::text as details, created_at, read_at
"""
READ_ALL = "update notifications.notices set read_at = $2 where user_id = $1 and read_at is null"
REMOVE_OLD = "delete from notifications.notices where created_at < $1"


async def add_notice(tx: WritingTransaction, notice: NewNotice) -> UUID | None:
    """The notice's id; None where its user was told of the same occasion before."""
    details = msgspec.json.encode(notice.details).decode()
    written = (notice.user_id, notice.kind, notice.title, notice.body, details, notice.source, tx.now)
    return await tx.value(ADD_NOTICE, *written)


async def list_notices(
    tx: ReadingTransaction, user_id: UUID, before: UUID | None, limit: int, *, unread: bool
) -> tuple[Notice, ...]:
    """A user's notices, the newest first."""
    return tuple(_notice(row) for row in await tx.rows(LIST_NOTICES, user_id, before, unread, limit))


async def count_unread(tx: ReadingTransaction, user_id: UUID) -> int:
    """How many a user has not read."""
    return int(await tx.value(COUNT_UNREAD, user_id))


async def read_one(tx: WritingTransaction, user_id: UUID, notice_id: UUID) -> Notice | None:
    """A notice that is read from now on, or was; None where the user has none such."""
    row = await tx.row(READ_ONE, user_id, notice_id, tx.now)
    return None if row is None else _notice(row)


async def read_all(tx: WritingTransaction, user_id: UUID) -> int:
    """How many are read now that were not."""
    return await tx.execute(READ_ALL, user_id, tx.now)


async def remove_old(tx: WritingTransaction, before: datetime) -> int:
    """Forget older notices; how many."""
    return await tx.execute(REMOVE_OLD, before)


def _notice(row: Row) -> Notice:
    return Notice(
        id=row["id"],
        kind=row["kind"],
        title=row["title"],
        body=row["body"],
        details=msgspec.json.decode(row["details"]),
        created_at=row["created_at"],
        read_at=row["read_at"],
    )
