"""An archive fed to a database as one transaction, which only we end."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Collection, Sequence

from headwater.kernel.database.archive import queries
from headwater.kernel.database.archive.errors import ArchiveFailed
from headwater.kernel.database.archive.models import Place
from headwater.kernel.database.archive.programs import find_program, must_have_succeeded, started
from headwater.kernel.database.embedded.binaries import packaged_program

_BLOCK = 256 * 1024
_HEAD_ENDS = b"SET check_function_bodies"
_UNKNOWN_BEFORE_17 = b"SET transaction_timeout = 0;\n"
_KNOWN_SINCE = 17


async def feed(
    place: Place,
    reading: Sequence[str],
    *,
    first: Sequence[str] = (),
    last: Sequence[str] = (),
    also_open: Collection[int] = (),
) -> None:
    """Let pg_restore (`reading`: its arguments) write an archive as SQL, and psql carry it out after `first`.

    The commit is ours, and comes after `last`, once the archive is read to its end: whichever process dies before,
    this one too, psql meets the end of its input inside a transaction, and the database is as it was. An older
    server than the archive's is spared a setting that it does not know. Raises `ProgramMissing`, `ArchiveFailed`.
    """
    reader = await asyncio.to_thread(packaged_program, "pg_restore")
    writer = await find_program("psql", place, any_version=True)
    options = ("--no-psqlrc", "--no-password", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={place.database}")
    async with (
        started(reader, reading, {}, also_open=also_open) as source,
        started(writer, options, place.environment, fed=True) as target,
    ):
        if source.stdout is None or source.stderr is None or target.stdin is None or target.stderr is None:
            raise ArchiveFailed(name=reader.name, reason="it has no pipes")
        told_by_reader = asyncio.gather(source.stderr.read(), target.stderr.read())
        try:
            _write(target.stdin, (queries.BEGIN, *first))
            await _pass_on(source.stdout, target.stdin, spare=place.major < _KNOWN_SINCE)
            if await source.wait() == 0:
                _write(target.stdin, (*last, queries.COMMIT))
            target.stdin.close()
            await target.stdin.wait_closed()
        except ConnectionError:  # psql has ended; it says why
            source.kill()
            await target.wait()
        await asyncio.gather(source.wait(), target.wait())
        reader_told, writer_told = await told_by_reader
    must_have_succeeded(writer, target, writer_told)
    must_have_succeeded(reader, source, reader_told)


async def _pass_on(source: StreamReader, target: StreamWriter, *, spare: bool) -> None:
    """Everything in order; from the settings at the head the one is left out that is to be spared."""
    while line := await source.readline():
        if not (spare and line == _UNKNOWN_BEFORE_17):
            target.write(line)
        if line.startswith(_HEAD_ENDS):
            break
    while block := await source.read(_BLOCK):
        target.write(block)
        await target.drain()


def _write(target: StreamWriter, statements: Sequence[str]) -> None:
    target.writelines(f"{statement};\n".encode() for statement in statements)
