"""Backups that a running house makes of itself and keeps in its data folder."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

from headwater.kernel.database.archive.archive import dump
from headwater.kernel.database.archive.models import Place

FOLDER = "backups"


class Archives:
    """The folder of backups, one file each, named by its id; for this user of the machine alone.

    They lie on the node that made them. `find_place` tells how PostgreSQL's programs reach the house's database.
    """

    def __init__(self, find_place: Callable[[], Awaitable[Place]], folder: Path) -> None:
        self._find_place = find_place
        self._folder = folder / FOLDER

    def file_of(self, backup: UUID) -> Path:
        """Where the file of a backup is, or would be."""
        return self._folder / f"{backup}.backup"

    async def make(self, backup: UUID) -> int:
        """Dump the database into the file of a backup; its size in bytes. Raises what `dump` raises."""
        await asyncio.to_thread(self._folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        return await dump(await self._find_place(), self.file_of(backup))

    async def remove(self, backup: UUID) -> None:
        """Remove the file of a backup, if this node has it."""
        await asyncio.to_thread(self.file_of(backup).unlink, missing_ok=True)
