"""PostgreSQL's own dump and restore, as files that are whole or not there."""

import asyncio
import os
import re
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from headwater.kernel.database.archive.errors import (
    ArchiveFailed,
    BackupExists,
    BackupMissing,
    NotABackup,
)
from headwater.kernel.database.archive.feed import feed
from headwater.kernel.database.archive.models import Place
from headwater.kernel.database.archive.programs import find_program, run_program
from headwater.kernel.database.embedded.binaries import packaged_program
from headwater.kernel.database.embedded.models import MAJOR, SUPERUSER, Address

_MADE_AT_EVERY_START = re.compile(r" (?:FUNCTION system headwater_tell_ddl\(\)|EVENT TRIGGER - headwater_ddl) ")
_COPY = re.compile(r"^COPY [^\n(]*\(([^\n]*)\) FROM stdin;\n(.*?)^\\\.$", re.MULTILINE | re.DOTALL)


def embedded_place(address: Address, database: str) -> Place:
    """A database of our own server, as its superuser, who is let in by the socket."""
    environment = {"PGHOST": address.host, "PGPORT": str(address.port), "PGUSER": SUPERUSER}
    return Place(database=database, environment=environment, packaged=True, major=MAJOR)


def external_place(url: str, major: int) -> Place:
    """The database of a URL; its password moves to the environment."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    password = query.pop("password", None) or (unquote(parts.password) if parts.password else None)
    user, at, hosts = parts.netloc.rpartition("@")
    bare = urlunsplit((parts.scheme, f"{user.partition(':')[0]}{at}{hosts}", parts.path, urlencode(query), ""))
    environment = {} if password is None else {"PGPASSWORD": password}
    return Place(database=bare, environment=environment, packaged=False, major=major)


async def dump(place: Place, file: Path) -> int:
    """Write everything in a database into `file`, and return its size in bytes once it is whole and on disk.

    One consistent moment of a running database; nobody waits for it but who changes the schema. Only this user of the
    machine may read the file. Raises `BackupExists`, `ProgramMissing`, `ArchiveFailed`.
    """
    program = await find_program("pg_dump", place)
    draft = await asyncio.to_thread(_begin, file)
    try:
        arguments = ("--format=custom", "--no-password", "--lock-wait-timeout=30000", f"--file={draft}")
        await run_program(program, (*arguments, f"--dbname={place.database}"), place.environment)
        return await asyncio.to_thread(_keep, draft, file)
    finally:
        await asyncio.to_thread(draft.unlink)


async def restore(place: Place, file: Path) -> None:
    """Put everything in `file` into a database of our own server, which has our roles and is otherwise empty.

    What every start makes anew is left out, because only a superuser may make it. Raises `NotABackup`,
    `ArchiveFailed`.
    """
    program = await find_program("pg_restore", place)
    with _wanted(await _read(program, file, "--list")) as wanted:
        arguments = ("--exit-on-error", "--no-password", _use(wanted), f"--dbname={place.database}")
        await run_program(program, (*arguments, str(file)), place.environment, also_open=[wanted])


async def restore_at_once(
    place: Place, file: Path, *, clean: bool, first: Sequence[str] = (), last: Sequence[str] = ()
) -> None:
    """Put everything in `file` into a database of any server, which has our roles, in one transaction.

    With `clean` what is in the way is dropped; the statements `first` and `last` are part of it. Raises
    `ProgramMissing`, `NotABackup`, `ArchiveFailed`.
    """
    program = await asyncio.to_thread(packaged_program, "pg_restore")
    with _wanted(await _read(program, file, "--list")) as wanted:
        arguments = (_use(wanted), "--file=-", *(("--clean", "--if-exists") if clean else ()), str(file))
        await feed(place, arguments, first=first, last=last, also_open=[wanted])


async def rows_in(file: Path, schema: str, table: str) -> list[dict[str, str]]:
    """The rows of a small table in a backup, by column, as COPY writes their values.

    Raises `BackupMissing`, and `NotABackup` where the file holds no such table.
    """
    program = await asyncio.to_thread(packaged_program, "pg_restore")
    text = await _read(program, file, "--data-only", f"--schema={schema}", f"--table={table}", "--file=-")
    copied = _COPY.search(text)
    if copied is None:
        raise NotABackup(file=file, reason=f"there is no {schema}.{table} in it")
    columns = copied[1].split(", ")
    return [dict(zip(columns, line.split("\t"), strict=True)) for line in copied[2].splitlines()]


@contextmanager
def _wanted(listed: str) -> Generator[int]:
    """The descriptor of a list of everything in an archive but what every start makes anew.

    The list has no name, so that nothing of it is left behind however we end.
    """
    with tempfile.TemporaryFile("w", encoding="utf-8") as wanted:
        wanted.writelines(line for line in listed.splitlines(keepends=True) if not _MADE_AT_EVERY_START.search(line))
        wanted.seek(0)
        yield wanted.fileno()


def _use(wanted: int) -> str:
    """The option that has a program restore what stands in a list."""
    return f"--use-list=/dev/fd/{wanted}"


def _begin(file: Path) -> Path:
    """An empty file beside the one to be, for this user alone."""
    if file.exists():
        raise BackupExists(file=file)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    except OSError as failure:
        raise ArchiveFailed(name="The backup", reason=f"{file.parent}: {failure.strerror}") from failure
    os.close(descriptor)
    return Path(name)


def _keep(draft: Path, file: Path) -> int:
    """Give a whole file its name, which nobody has taken meanwhile; its size in bytes."""
    with draft.open("rb") as written:
        os.fsync(written.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        raise BackupExists(file=file) from None
    return file.stat().st_size


async def _read(program: Path, file: Path, *arguments: str) -> str:
    if not await asyncio.to_thread(os.access, file, os.R_OK):
        raise BackupMissing(file=file)
    try:
        return await run_program(program, (*arguments, str(file)), {})
    except ArchiveFailed as failure:
        raise NotABackup(file=file, reason=str(failure.facts["reason"])) from failure
