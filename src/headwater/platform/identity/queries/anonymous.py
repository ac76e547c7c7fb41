"""Anonymous accounts that nobody has used for long."""

from datetime import datetime
from uuid import UUID

from headwater.kernel.database import ReadingTransaction, WritingTransaction

LIST_IDLE = """
select id from auth.users u
where is_anonymous and coalesce(last_seen_at, created_at) < $1
  and not exists (select from auth.sessions s where s.user_id = u.id and s.last_used_at >= $1)
order by random() limit $2
"""


async def list_idle_anonymous(tx: ReadingTransaction, since: datetime, limit: int) -> list[UUID]:
    """Some of the anonymous users who have not been here since, in any order."""
    return [row["id"] for row in await tx.rows(LIST_IDLE, since, limit)]


async def begin_part(tx: WritingTransaction) -> None:
    """Begin what may be undone by itself."""
    await tx.execute("savepoint part")


async def keep_part(tx: WritingTransaction) -> None:
    """Let what was done since the part began be the transaction's."""
    await tx.execute("release savepoint part")


async def undo_part(tx: WritingTransaction) -> None:
    """Undo what was done since the part began."""
    await tx.execute("rollback to savepoint part; release savepoint part")
