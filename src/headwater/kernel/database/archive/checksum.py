"""The checksum beside a backup, as `sha256sum --check` reads it."""

import os
from hashlib import file_digest
from pathlib import Path

from headwater.kernel.database.archive.errors import NotABackup


def checksum_file(file: Path) -> Path:
    """Where the checksum of a backup lies, if it has one."""
    return file.with_name(f"{file.name}.sha256")


def write_checksum(file: Path) -> None:
    """Put the SHA-256 of a backup beside it, and both names on disk for good."""
    beside = checksum_file(file)
    draft = beside.with_name(f".{beside.name}")
    draft.write_text(f"{_sum(file)}  {file.name}\n", "ascii")
    draft.chmod(0o600)
    draft.replace(beside)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def must_be_as_written(file: Path) -> None:
    """Raises `NotABackup` for a file that is not what its checksum beside it says; one without is taken as it is."""
    beside = checksum_file(file)
    if beside.exists() and beside.read_text("ascii", "replace").split()[:1] != [_sum(file)]:
        raise NotABackup(file=file, reason=f"its SHA-256 is not the one in {beside.name}")


def _sum(file: Path) -> str:
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()
