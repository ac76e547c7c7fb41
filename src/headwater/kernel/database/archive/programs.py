"""PostgreSQL's client programs: the fitting one found, run, and ended with us."""

import asyncio
import os
import re
import shutil
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from headwater.kernel.database.archive.errors import ArchiveFailed, ProgramMissing
from headwater.kernel.database.archive.models import Place
from headwater.kernel.database.embedded.binaries import packaged_program
from headwater.kernel.database.embedded.models import MAJOR

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_PREFIX = re.compile(r"^(?:[\w-]+: )?(?:(?:error|ERROR): +)?")


async def find_program(name: str, place: Place, *, any_version: bool = False) -> Path:
    """The program for a server of this version: the wheel's for its own server, else of PATH, which may speak TLS.

    With `any_version` an older one than the server will do too. Raises `ProgramMissing`.
    """
    packaged = await asyncio.to_thread(packaged_program, name)
    if place.packaged:
        return packaged
    installed = shutil.which(name)
    if installed is not None:
        version = _VERSION.search(await run_program(Path(installed), ("--version",), {}))
        if version is not None and (any_version or int(version[1]) >= place.major):
            return Path(installed)
    if place.major > MAJOR and not any_version:
        raise ProgramMissing(name=name, major=place.major)
    return packaged


async def run_program(
    program: Path, arguments: Sequence[str], environment: Mapping[str, str], *, also_open: Collection[int] = ()
) -> str:
    """What a program says; it ends with us. Raises `ArchiveFailed` with its first complaint.

    It also has the descriptors `also_open`, under their own numbers.
    """
    async with started(program, arguments, environment, also_open=also_open) as process:
        said, complained = await process.communicate()
    must_have_succeeded(program, process, complained)
    return said.decode(errors="replace")


@asynccontextmanager
async def started(
    program: Path,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    fed: bool = False,
    also_open: Collection[int] = (),
) -> AsyncGenerator[Process]:
    """A program at work, and killed at the end of the block if it still is; where it is `fed` we write its input."""
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        stdin=PIPE if fed else DEVNULL,
        stdout=DEVNULL if fed else PIPE,
        stderr=PIPE,
        env={"LC_ALL": "C", "PATH": os.defpath, "PGAPPNAME": program.name, **environment},
        pass_fds=also_open,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def must_have_succeeded(program: Path, process: Process, complained: bytes) -> None:
    """Raises `ArchiveFailed` for a program that ended with another status than 0."""
    if process.returncode != 0:
        raise ArchiveFailed(name=program.name, reason=_first_complaint(complained.decode(errors="replace")))


def _first_complaint(text: str) -> str:
    """The line that tells why, without the program's name."""
    lines = [line for line in text.splitlines() if line.strip()] or ["it said nothing"]
    first = next((line for line in lines if re.search("error:|ERROR:|FATAL:", line)), lines[0])
    return _PREFIX.sub("", first)
