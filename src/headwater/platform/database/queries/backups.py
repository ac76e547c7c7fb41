"""The list of backups that the house made of itself."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from headwater.kernel.database import ReadingTransaction, Row, WritingTransaction
from headwater.platform.database.models import BackupSchedule, MadeBackup

_COLUMNS = "id, name, trigger_source, status, size_bytes, error_message, created_by, completed_at, created_at"
_CONFIG = "backup_enabled, backup_cron_schedule, backup_retention_days, next_backup_at"


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


async def remove_scheduled_before(tx: WritingTransaction, moment: datetime) -> Sequence[str]:
    """Take off the list what the clock asked for and ended before a moment, but never the newest whole one.

    The names of their files, which are still there.
    """
    rows = await tx.rows(
        """
        delete from system.database_backups
        where trigger_source = 'scheduled' and coalesce(completed_at, created_at) < $1 and id is distinct from (
          select id from system.database_backups where trigger_source = 'scheduled' and status = 'completed'
          order by created_at desc, id limit 1
        )
        returning storage_key
        """,
        moment,
    )
    return [row["storage_key"] for row in rows]


async def find_config(tx: ReadingTransaction) -> Row | None:
    """What the admin said of backups by the clock, if he ever did."""
    return await tx.row(f"select {_CONFIG} from system.database_config")


async def put_config(tx: WritingTransaction, config: UUID, wanted: BackupSchedule, due: datetime | None) -> Row | None:
    """Write down what the admin says, whole; `due` is the next backup of the schedule, if it is another one.

    The next backup of a schedule that stays is not moved: one that is due already would be lost.
    """
    return await tx.row(
        f"""
        insert into system.database_config as config
          (id, backup_enabled, backup_cron_schedule, backup_retention_days, next_backup_at,
           backup_schedule_anchor, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $6, $6)
        on conflict (the_only_one) do update set
          (backup_schedule_anchor, next_backup_at) = (
            select case when stays then config.backup_schedule_anchor else excluded.backup_schedule_anchor end,
                   case when stays then config.next_backup_at else excluded.next_backup_at end
            from (select (config.backup_enabled, config.backup_cron_schedule)
                       = (excluded.backup_enabled, excluded.backup_cron_schedule)) as compared (stays)
          ),
          backup_enabled = excluded.backup_enabled, backup_cron_schedule = excluded.backup_cron_schedule,
          backup_retention_days = excluded.backup_retention_days, updated_at = excluded.updated_at
        returning {_CONFIG}
        """,
        config,
        wanted.enabled,
        wanted.cron_schedule,
        wanted.retention_days,
        due,
        tx.now,
    )


async def lock_due_config(tx: WritingTransaction) -> str | None:
    """The admin's cron expression, if a backup of his schedule is due now."""
    return await tx.value(
        """
        select backup_cron_schedule from system.database_config
        where backup_enabled and next_backup_at <= $1 for no key update
        """,
        tx.now,
    )


async def put_next_backup(tx: WritingTransaction, due: datetime) -> None:
    """Write down when the next backup of the admin's schedule is due."""
    await tx.execute("update system.database_config set next_backup_at = $1", due)
