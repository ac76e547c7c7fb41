"""Large bodies on their way in: past a mebibyte they wait in a temporary file, not in memory."""

import asyncio
import tempfile
from mmap import ACCESS_READ, mmap
from typing import IO

HELD = 1024 * 1024
"""Bytes that are held in memory before they are written down."""


class Spool:
    """Takes a body in parts, and gives it back whole: as bytes, or as a file that looks like bytes.

    The file has no name, so it is gone with whoever holds it, also after a SIGKILL. It lies in the folder of TMPDIR.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._held = 0
        self._file: IO[bytes] | None = None

    async def take(self, part: bytes) -> None:
        """Add the next part."""
        self._parts.append(part)
        self._held += len(part)
        if self._held > HELD:
            await self._write_down()

    async def whole(self) -> bytes | mmap:
        """Everything that was taken."""
        if self._file is None:
            return b"".join(self._parts)
        await self._write_down()
        with self._file as file:
            return mmap(file.fileno(), 0, access=ACCESS_READ)

    async def _write_down(self) -> None:
        parts, self._parts, self._held = self._parts, [], 0
        self._file = await asyncio.to_thread(_append, self._file, parts)

    def close(self) -> None:
        """Forget what was taken, where nobody came for it."""
        if self._file is not None:
            self._file.close()


def _append(file: IO[bytes] | None, parts: list[bytes]) -> IO[bytes]:
    opened = file or tempfile.TemporaryFile(prefix="headwater-")  # noqa: SIM115 - closed by the spool
    opened.writelines(parts)
    opened.flush()
    return opened
