"""Backups that a running house makes of itself; `headwater restore` brings them back."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from headwater.kernel.clock import Clock
from headwater.kernel.database import Database, ReadingTransaction, Row, Transactions, WritingTransaction
from headwater.kernel.database.archive import SCHEDULED, Archives, BackupSettings, must_be_as_written, rows_in
from headwater.kernel.errors import Refusal
from headwater.kernel.ids import new_id
from headwater.kernel.jobs import JobRun
from headwater.kernel.models import AuditEntry, JobCall
from headwater.kernel.principal import Principal
from headwater.platform.database import queries
from headwater.platform.database.errors import BackupNotFound, BackupUnfinished, LastBackupFailed, RestoreNeedsCommand
from headwater.platform.database.models import (
    Backup,
    BackupList,
    MadeBackup,
    NamedBackup,
    RemovedBackup,
    RenamedBackup,
    ScheduledBackup,
    WantedBackup,
)
from headwater.platform.database.operations.change import MODULE

BACK_UP = "database.back_up"


@dataclass(frozen=True)
class Backups:
    """What the admin keeps of the whole database."""

    archives: Archives
    settings: BackupSettings
    database: Database
    clock: Clock

    async def list_backups(self, tx: ReadingTransaction, principal: Principal, body: None) -> BackupList:
        """Every backup that was made through a node, the newest first."""
        return BackupList(backups=tuple(map(_backup, await queries.list_backups(tx))))

    async def make_backup(self, transactions: Transactions, principal: Principal, body: WantedBackup) -> Backup:
        """Dump the whole database into the data folder of this node, and write that down once it is done.

        One that failed is written down too, with the reason. Raises what `archive.dump` raises.
        """
        backup = new_id()
        made = MadeBackup(id=backup, name=body.name, source="manual", file=str(backup), began=self.clock.now())
        return await self._make(transactions, made)

    async def schedule_backup(self, tx: WritingTransaction) -> None:
        """Call the job: its time has come, and no other of it waits or runs."""
        tx.enqueue(JobCall(job=BACK_UP, arguments=ScheduledBackup()))

    async def make_scheduled_backup(self, transactions: Transactions, run: JobRun) -> None:
        """Dump the database because the clock asks for it; the oldest leave once it is whole.

        One that failed is written down with the reason, at every attempt. Raises what `archive.dump` raises.
        """
        began = self.clock.now()
        file = f"{SCHEDULED}{began:%Y-%m-%d-%H%M%S}"
        await self._make(transactions, MadeBackup(id=new_id(), name=None, source="scheduled", file=file, began=began))
        await self.archives.remove_scheduled_but(self.settings.keep)
        await transactions.writing(lambda tx: queries.remove_scheduled_but(tx, self.settings.keep))

    async def check_backups(self) -> None:
        """Return unless the latest backup that the clock asked for failed. Raises `LastBackupFailed`."""
        row = await self.database.single(queries.find_latest_scheduled)
        if row is not None and row["error_message"] is not None:
            raise LastBackupFailed(moment=_moment(row["created_at"]), reason=row["error_message"])

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
        return _found(await queries.rename_backup(tx, body.id, body.name))

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


def _found(row: Row | None) -> Backup:
    if row is None:
        raise BackupNotFound
    return _backup(row)


def _backup(row: Row) -> Backup:
    return Backup(
        id=row["id"],
        name=row["name"],
        trigger_source=row["trigger_source"],
        status=row["status"],
        size_bytes=row["size_bytes"],
        error_message=row["error_message"],
        created_at=_moment(row["created_at"]),
        completed_at=None if row["completed_at"] is None else _moment(row["completed_at"]),
        created_by=row["created_by"],
    )


def _moment(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
