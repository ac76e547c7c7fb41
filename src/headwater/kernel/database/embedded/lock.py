"""One server per folder: a lock that frees itself however its holder dies."""

import asyncio
import fcntl
import os
from pathlib import Path


class FolderLock:
    """An flock on a file of the folder; the file says who holds it and stays when the holder is gone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    async def take(self, patience: float) -> bool:
        """True once the lock is ours, False when another held it for all of `patience` seconds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + patience
        while not self._try():
            if loop.time() >= end:
                return False
            await asyncio.sleep(0.02)
        return True

    def _try(self) -> bool:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        if os.geteuid() == 0:  # a later start as the folder's own user must be able to open it
            owner = self.path.parent.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        return True

    def holder(self) -> str:
        """The process id of the present or last holder, as text."""
        try:
            return self.path.read_text().strip() or "unknown"
        except OSError:
            return "unknown"

    def held_elsewhere(self) -> bool:
        """True while a living process holds the lock; asking holds it for an instant, which `take` outwaits."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            return False
        finally:
            os.close(descriptor)

    def release(self) -> None:
        """Let the next one in; without effect when the lock is not ours."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
