"""The list of backups that the house made of itself."""

from uuid import UUID

from headwater.kernel.database import ReadingTransaction, Row, WritingTransaction
from headwater.platform.database.models import MadeBackup

_COLUMNS = "id, name, trigger_source, status, size_bytes, error_message, created_by, completed_at, created_at"


async def list_backups(tx: ReadingTransaction) -> list[Row]:
    """Every backup, the newest first."""
    return await tx.rows(f"select {_COLUMNS} from system.database_backups order by created_at desc, id")


async def find_backup(tx: ReadingTransaction, backup: UUID) -> Row | None:
    """What its file is called, and the reason why there is none, if there is a backup of this id."""
    return await tx.row("select storage_key, error_message from system.database_backups where id = $1", backup)


async def find_latest_scheduled(tx: ReadingTransaction) -> Row | None:
    """The newest backup that the clock asked for, whether it came about or not."""
    return await tx.row(
        f"""
        select {_COLUMNS} from system.database_backups where trigger_source = 'scheduled'
        order by created_at desc, id limit 1
        """
    )


async def add_backup(tx: WritingTransaction, made: MadeBackup, size: int | None, error: str | None) -> Row | None:
    """Write down a backup that ended now: with its size, or with the reason why there is none."""
    return await tx.row(
        f"""
        insert into system.database_backups (id, name, trigger_source, status, storage_key, size_bytes, error_message,
                                             created_by, completed_at, created_at, updated_at)
        values ($1, $2, $8, case when $5::text is null then 'completed' else 'failed' end, $9,
                $4, $5::text, $6, case when $5::text is null then $7::timestamptz end, $3, $7::timestamptz)
        returning {_COLUMNS}
        """,
        made.id,
        made.name,
        made.began,
        size,
        error,
        tx.origin.actor,
        tx.now,
        made.source,
        made.file,
    )


async def rename_backup(tx: WritingTransaction, backup: UUID, name: str | None) -> Row | None:
    """Change the name of a backup, if there is one of this id."""
    return await tx.row(
        f"update system.database_backups set name = $2, updated_at = $3 where id = $1 returning {_COLUMNS}",
        backup,
        name,
        tx.now,
    )


async def remove_backup(tx: WritingTransaction, backup: UUID) -> str | None:
    """Take a backup off the list; what its file is called, if it was there."""
    return await tx.value("delete from system.database_backups where id = $1 returning storage_key", backup)


async def remove_scheduled_but(tx: WritingTransaction, count: int) -> None:
    """Take off the list what the clock asked for before the newest whole ones, so many of them."""
    await tx.execute(
        """
        delete from system.database_backups where trigger_source = 'scheduled' and created_at < (
          select min(created_at) from (
            select created_at from system.database_backups
            where trigger_source = 'scheduled' and status = 'completed' order by created_at desc limit $1
          ) as newest
        )
        """,
        count,
    )
