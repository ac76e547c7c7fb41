"""Backups that a running house makes of itself and keeps in a folder."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from headwater.kernel.database.archive.archive import dump
from headwater.kernel.database.archive.checksum import checksum_file, write_checksum
from headwater.kernel.database.archive.errors import ArchiveFailed
from headwater.kernel.database.archive.models import BackupSettings, KeptFile, Place
from headwater.kernel.errors import Refusal
from headwater.kernel.observe import BackupFailed, BackupMade, Observer

FOLDER = "backups"
SUFFIX = ".backup"
SCHEDULED = "scheduled-"
"""How the names of backups begin that the clock asked for."""


class Archives:
    """The folder of backups, one file each and its checksum beside it; for this user of the machine alone.

    They lie on the node that made them, unless all nodes share the folder. `find_place` tells how PostgreSQL's programs
    reach the house's database, `folder` is that of the house.
    """

    def __init__(
        self, find_place: Callable[[], Awaitable[Place]], folder: Path, settings: BackupSettings, observer: Observer
    ) -> None:
        self._find_place = find_place
        self._folder = folder_of(folder, settings)
        self._observer = observer

    def file_of(self, name: str) -> Path:
        """Where the file of a backup is, or would be."""
        return self._folder / f"{name}{SUFFIX}"

    async def make(self, name: str) -> int:
        """Dump the database into the file of a backup; its size in bytes. Raises what `dump` raises."""
        began = perf_counter()
        file = self.file_of(name)
        try:
            await asyncio.to_thread(_make_folder, self._folder)
            size = await dump(await self._find_place(), file)
            await asyncio.to_thread(write_checksum, file)
        except Refusal as refusal:
            self._observer.tell(BackupFailed(name=name, reason=refusal.message))
            raise
        self._observer.tell(BackupMade(name=name, size=size, seconds=perf_counter() - began))
        return size

    async def remove(self, name: str) -> None:
        """Remove the file of a backup, if this node has it."""
        await asyncio.to_thread(_remove, self.file_of(name))

    async def remove_scheduled_but(self, count: int) -> None:
        """Remove all but the newest backups that the clock asked for, and what a killed process left unfinished."""
        await asyncio.to_thread(self._remove_scheduled_but, count)

    def _remove_scheduled_but(self, count: int) -> None:
        for draft in self._folder.glob(f".{SCHEDULED}*"):
            draft.unlink(missing_ok=True)
        for file in sorted(self._folder.glob(f"{SCHEDULED}*{SUFFIX}"), reverse=True)[count:]:
            _remove(file)


def folder_of(folder: Path, settings: BackupSettings) -> Path:
    """Where the backups of a house lie, whose data folder is `folder`."""
    return settings.folder or folder / FOLDER


def list_kept(folder: Path) -> list[KeptFile]:
    """The backups that lie in a folder, the newest first; no database is asked."""
    kept = [
        KeptFile(
            file=file,
            size=file.stat().st_size,
            made_at=datetime.fromtimestamp(file.stat().st_mtime, UTC),
            summed=checksum_file(file).exists(),
        )
        for file in folder.glob(f"*{SUFFIX}")
    ]
    return sorted(kept, key=lambda each: each.made_at, reverse=True)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as failure:
        raise ArchiveFailed(name="The backup", reason=f"{folder}: {failure.strerror}") from failure


def _remove(file: Path) -> None:
    file.unlink(missing_ok=True)
    checksum_file(file).unlink(missing_ok=True)
