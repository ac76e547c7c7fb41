"""Backups that a running house makes of itself; `headwater restore` brings them back."""

from dataclasses import dataclass
from datetime import datetime

from headwater.kernel.clock import Clock
from headwater.kernel.database import ReadingTransaction, Row, Transactions, WritingTransaction
from headwater.kernel.database.archive import Archives
from headwater.kernel.errors import Refusal
from headwater.kernel.ids import new_id
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import Principal
from headwater.platform.database import queries
from headwater.platform.database.errors import BackupNotFound
from headwater.platform.database.models import (
    Backup,
    BackupList,
    NamedBackup,
    RemovedBackup,
    RenamedBackup,
    WantedBackup,
)
from headwater.platform.database.operations.change import MODULE


@dataclass(frozen=True)
class Backups:
    """What the admin keeps of the whole database."""

    archives: Archives
    clock: Clock

    async def list_backups(self, tx: ReadingTransaction, principal: Principal, body: None) -> BackupList:
        """Every backup that was made through a node, the newest first."""
        return BackupList(backups=tuple(map(_backup, await queries.list_backups(tx))))

    async def make_backup(self, transactions: Transactions, principal: Principal, body: WantedBackup) -> Backup:
        """Dump the whole database into the data folder of this node, and write that down once it is done.

        One that failed is written down too, with the reason. Raises what `archive.dump` raises.
        """
        backup, began = new_id(), self.clock.now()
        try:
            size = await self.archives.make(backup)
        except Refusal as refusal:
            reason = refusal.message
            await transactions.writing(lambda tx: queries.add_backup(tx, backup, body.name, began, None, reason))
            raise

        async def keep(tx: WritingTransaction) -> Row | None:
            tx.audit(AuditEntry(action="MAKE_BACKUP", module=MODULE, details={"id": str(backup), "bytes": size}))
            return await queries.add_backup(tx, backup, body.name, began, size, None)

        return _found(await transactions.writing(keep))

    async def rename_backup(self, tx: WritingTransaction, principal: Principal, body: RenamedBackup) -> Backup:
        """Give a backup another name, or none. Raises `BackupNotFound`."""
        return _found(await queries.rename_backup(tx, body.id, body.name))

    async def remove_backup(self, transactions: Transactions, principal: Principal, body: NamedBackup) -> RemovedBackup:
        """End a backup, and its file where this node has it. Raises `BackupNotFound`."""

        async def work(tx: WritingTransaction) -> None:
            if not await queries.remove_backup(tx, body.id):
                raise BackupNotFound
            tx.audit(AuditEntry(action="REMOVE_BACKUP", module=MODULE, details={"id": str(body.id)}))

        await transactions.writing(work)
        await self.archives.remove(body.id)
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
