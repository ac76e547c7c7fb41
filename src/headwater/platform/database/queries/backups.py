"""The list of backups that the house made of itself."""

from datetime import datetime
from uuid import UUID

from headwater.kernel.database import ReadingTransaction, Row, WritingTransaction

_COLUMNS = "id, name, trigger_source, status, size_bytes, error_message, created_by, completed_at, created_at"


async def list_backups(tx: ReadingTransaction) -> list[Row]:
    """Every backup, the newest first."""
    return await tx.rows(f"select {_COLUMNS} from system.database_backups order by created_at desc, id")


async def add_backup(
    tx: WritingTransaction, backup: UUID, name: str | None, began: datetime, size: int | None, error: str | None
) -> Row | None:
    """Write down a backup that ended now: with its size, or with the reason why there is none."""
    return await tx.row(
        f"""
        insert into system.database_backups (id, name, trigger_source, status, storage_key, size_bytes, error_message,
                                             created_by, completed_at, created_at, updated_at)
        values ($1::uuid, $2, 'manual', case when $5::text is null then 'completed' else 'failed' end, $1::uuid::text,
                $4, $5::text, $6, case when $5::text is null then $7::timestamptz end, $3, $7::timestamptz)
        returning {_COLUMNS}
        """,
        backup,
        name,
        began,
        size,
        error,
        tx.origin.actor,
        tx.now,
    )


async def rename_backup(tx: WritingTransaction, backup: UUID, name: str | None) -> Row | None:
    """Change the name of a backup, if there is one of this id."""
    return await tx.row(
        f"update system.database_backups set name = $2, updated_at = $3 where id = $1 returning {_COLUMNS}",
        backup,
        name,
        tx.now,
    )


async def remove_backup(tx: WritingTransaction, backup: UUID) -> bool:
    """Take a backup off the list; whether it was there."""
    return await tx.execute("delete from system.database_backups where id = $1", backup) == 1
