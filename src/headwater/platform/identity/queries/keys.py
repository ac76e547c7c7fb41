"""Statements about the project's keys."""

from datetime import datetime

from headwater.kernel.database import ReadingTransaction, WritingTransaction
from headwater.platform.identity.models import KeyKind, KeyRow

ADD_KEY = "insert into auth.api_keys (id, kind, hash, created_at, expires_at) values ($1, $2, $3, $4, $5)"
LIST_KEYS = "select id, kind, hash, expires_at from auth.api_keys where expires_at is null or expires_at > $1"
LOCK_KEYS = "select id from auth.api_keys where kind = $1 order by id for no key update"
RETIRE_KEYS = """
update auth.api_keys set expires_at = $2 where kind = $1 and (expires_at is null or expires_at > $2)
"""


async def add_key(tx: WritingTransaction, key: KeyRow) -> None:
    """Add a key."""
    await tx.execute(ADD_KEY, key.id, key.kind, key.hash, tx.now, key.expires_at)


async def list_keys(tx: ReadingTransaction) -> list[KeyRow]:
    """The keys that have not expired."""
    return [KeyRow(**dict(row.items())) for row in await tx.rows(LIST_KEYS, tx.now)]


async def retire_keys(tx: WritingTransaction, kind: KeyKind, until: datetime) -> None:
    """Let no key of this kind be good for longer; of two who do so at once the second waits for the first."""
    await tx.rows(LOCK_KEYS, kind)
    await tx.execute(RETIRE_KEYS, kind, until)
