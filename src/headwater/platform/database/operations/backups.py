"""Backups that a running house makes of itself; `headwater restore` brings them back."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

from msgspec import to_builtins

from headwater.kernel.clock import Clock, moment
from headwater.kernel.database import Database, ReadingTransaction, Row, Transactions, WritingTransaction
from headwater.kernel.database.archive import SCHEDULED, Archives, BackupSettings, must_be_as_written, rows_in
from headwater.kernel.errors import Refusal
from headwater.kernel.ids import new_id
from headwater.kernel.jobs import JobRun, WrongDeclaration
from headwater.kernel.models import AuditEntry, JobCall
from headwater.kernel.principal import Principal
from headwater.platform.database import queries
from headwater.platform.database.errors import (
    BackupNotFound,
    BackupUnfinished,
    LastBackupFailed,
    RestoreNeedsCommand,
    WrongSchedule,
)
from headwater.platform.database.models import (
    Backup,
    BackupList,
    BackupSchedule,
    DatabaseConfig,
    DatabaseConfigChange,
    MadeBackup,
    NamedBackup,
    RemovedBackup,
    RenamedBackup,
    ScheduledBackup,
    WantedBackup,
)
from headwater.platform.database.operations.change import MODULE

BACK_UP = "database.back_up"
_NIGHTLY = "0 3 * * *"
"""What a schedule says that nobody gave one; it is off."""


@dataclass(frozen=True)
class Backups:
    """What the admin keeps of the whole database."""

    archives: Archives
    settings: BackupSettings
    database: Database
    clock: Clock

    async def list_backups(self, tx: ReadingTransaction, principal: Principal, body: None) -> BackupList:
        """Every backup that was made through a node, the newest first."""
        days = await _retention(tx)
        return BackupList(backups=tuple(_backup(row, days) for row in await queries.list_backups(tx)))

    async def make_backup(self, transactions: Transactions, principal: Principal, body: WantedBackup) -> Backup:
        """Dump the whole database into the data folder of this node, and write that down once it is done.

        One that failed is written down too, with the reason. Raises what `archive.dump` raises.
        """
        backup = new_id()
        made = MadeBackup(id=backup, name=body.name, source="manual", file=str(backup), began=self.clock.now())
        return await self._make(transactions, made)

    async def schedule_backup(self, tx: WritingTransaction) -> None:
        """Call the job: the time of the settings has come. Where the admin said when, only he counts."""
        if await queries.find_config(tx) is None:
            tx.enqueue(JobCall(job=BACK_UP, arguments=ScheduledBackup()))

    async def call_for_backup(self, tx: WritingTransaction) -> None:
        """Call the job if the admin's schedule is due; once for whatever was missed."""
        cron = await queries.lock_due_config(tx)
        if cron is not None:
            await queries.put_next_backup(tx, self._next(cron, tx.now))
            tx.enqueue(JobCall(job=BACK_UP, arguments=ScheduledBackup()))

    async def show_config(self, tx: ReadingTransaction, principal: Principal, body: None) -> DatabaseConfig:
        """What is in force: what the admin said, else what the settings say."""
        row = await queries.find_config(tx)
        if row is not None:
            return _config(row)
        cron = self.settings.cron
        schedule = BackupSchedule(enabled=cron is not None, cron_schedule=cron or _NIGHTLY, retention_days=None)
        due = None if cron is None else moment(self._next(cron, tx.now))
        return DatabaseConfig(backup=schedule, next_backup_at=due)

    async def change_config(
        self, tx: WritingTransaction, principal: Principal, body: DatabaseConfigChange
    ) -> DatabaseConfig:
        """Say when backups are made and how long they stay, instead of the settings, from now on.

        A schedule that stays as it is keeps its next backup. Raises `WrongSchedule`, also for one that is off.
        """
        due = self._next_of(body.backup, tx.now)
        row = await queries.put_config(tx, new_id(), body.backup, due)
        tx.audit(AuditEntry(action="CHANGE_BACKUP_SCHEDULE", module=MODULE, details=to_builtins(body.backup)))
        assert row is not None  # noqa: S101 - an insert or an update, never neither
        return _config(row)

    async def make_scheduled_backup(self, transactions: Transactions, run: JobRun) -> None:
        """Dump the database because the clock asks for it; the oldest leave once it is whole.

        One that failed is written down with the reason, at every attempt. Raises what `archive.dump` raises.
        """
        began = self.clock.now()
        file = f"{SCHEDULED}{began:%Y-%m-%d-%H%M%S}"
        await self._make(transactions, MadeBackup(id=new_id(), name=None, source="scheduled", file=file, began=began))
        await self.archives.remove_scheduled_but(self.settings.keep)
        await transactions.writing(lambda tx: queries.remove_scheduled_but(tx, self.settings.keep))
        for old in await transactions.writing(_remove_expired):
            await self.archives.remove(old)

    async def check_backups(self) -> None:
        """Return unless the latest backup that the clock asked for failed. Raises `LastBackupFailed`."""
        row = await self.database.single(queries.find_latest_scheduled)
        if row is not None and row["error_message"] is not None:
            raise LastBackupFailed(moment=moment(row["created_at"]), reason=row["error_message"])

    def _next_of(self, wanted: BackupSchedule, now: datetime) -> datetime | None:
        from headwater.kernel.jobs.cron import must_be_cron  # noqa: PLC0415 - 60 ms for who changes a schedule

        try:
            must_be_cron("backup.cronSchedule", wanted.cron_schedule, self.settings.zone)
        except WrongDeclaration as wrong:
            raise WrongSchedule(reason=str(wrong)) from wrong
        return self._next(wanted.cron_schedule, now) if wanted.enabled else None

    def _next(self, cron: str, now: datetime) -> datetime:
        from headwater.kernel.jobs.cron import next_match  # noqa: PLC0415 - as above

        return next_match(cron, self.settings.zone, now)

    async def _make(self, transactions: Transactions, made: MadeBackup) -> Backup:
        try:
            size = await self.archives.make(made.file)
        except Refusal as refusal:
            reason = refusal.message
            await transactions.writing(lambda tx: queries.add_backup(tx, made, None, reason))
            raise

        async def keep(tx: WritingTransaction) -> Row | None:
            tx.audit(AuditEntry(action="MAKE_BACKUP", module=MODULE, details={"id": str(made.id), "bytes": size}))
            return await queries.add_backup(tx, made, size, None)

        return _found(await transactions.writing(keep))

    async def rename_backup(self, tx: WritingTransaction, principal: Principal, body: RenamedBackup) -> Backup:
        """Give a backup another name, or none. Raises `BackupNotFound`."""
        return _found(await queries.rename_backup(tx, body.id, body.name), await _retention(tx))

    async def restore_backup(self, transactions: Transactions, principal: Principal, body: NamedBackup) -> NoReturn:
        """Look whether a backup is whole on this node, and refuse with the command that restores it.

        No row changes. Raises `RestoreNeedsCommand` (ADR 63), before it `BackupNotFound`, `BackupUnfinished`,
        `BackupMissing` where this node has no such file, `NotABackup` where it is not as it was written.
        """
        row = await transactions.reading(lambda tx: queries.find_backup(tx, body.id))
        if row is None:
            raise BackupNotFound
        if row["error_message"] is not None:
            raise BackupUnfinished(reason=row["error_message"])
        file = self.archives.file_of(row["storage_key"])
        await rows_in(file, "system", "migrations")
        await asyncio.to_thread(must_be_as_written, file)
        raise RestoreNeedsCommand(file=file)

    async def remove_backup(self, transactions: Transactions, principal: Principal, body: NamedBackup) -> RemovedBackup:
        """End a backup, and its file where this node has it. Raises `BackupNotFound`."""

        async def work(tx: WritingTransaction) -> str:
            file = await queries.remove_backup(tx, body.id)
            if file is None:
                raise BackupNotFound
            tx.audit(AuditEntry(action="REMOVE_BACKUP", module=MODULE, details={"id": str(body.id)}))
            return file

        await self.archives.remove(await transactions.writing(work))
        return RemovedBackup(message=f"Backup {body.id} removed")


def _found(row: Row | None, days: int | None = None) -> Backup:
    if row is None:
        raise BackupNotFound
    return _backup(row, days)


async def _remove_expired(tx: WritingTransaction) -> Sequence[str]:
    days = await _retention(tx)
    return () if days is None else await queries.remove_scheduled_before(tx, tx.now - timedelta(days=days))


async def _retention(tx: ReadingTransaction) -> int | None:
    config = await queries.find_config(tx)
    return None if config is None else config["backup_retention_days"]


def _config(row: Row) -> DatabaseConfig:
    schedule = BackupSchedule(
        enabled=row["backup_enabled"],
        cron_schedule=row["backup_cron_schedule"],
        retention_days=row["backup_retention_days"],
    )
    due = row["next_backup_at"]
    return DatabaseConfig(backup=schedule, next_backup_at=None if due is None else moment(due))


def _expiry(row: Row, days: int | None) -> str | None:
    """When a backup is old enough to leave; one made by hand never is."""
    if days is None or row["completed_at"] is None or row["trigger_source"] != "scheduled":
        return None
    return moment(row["completed_at"] + timedelta(days=days))


def _backup(row: Row, days: int | None) -> Backup:
    return Backup(
        id=row["id"],
        name=row["name"],
        trigger_source=row["trigger_source"],
        status=row["status"],
        size_bytes=row["size_bytes"],
        error_message=row["error_message"],
        created_at=moment(row["created_at"]),
        completed_at=None if row["completed_at"] is None else moment(row["completed_at"]),
        created_by=row["created_by"],
        expires_at=_expiry(row, days),
    )
