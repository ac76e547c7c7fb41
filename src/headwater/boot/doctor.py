"""Looks at everything a start needs, and says what to do about what is wrong."""

import os
import platform
import shutil
import socket
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import asyncpg
import httptools
import msgspec
import uvicorn

from headwater.boot.components import find_components
from headwater.boot.foundation import Ground, stand_on
from headwater.boot.settings import ServerSettings, Settings
from headwater.kernel.clock import SystemClock
from headwater.kernel.database import DatabaseSettings
from headwater.kernel.database.embedded import attach
from headwater.kernel.errors import Refusal
from headwater.kernel.observe import Observer
from headwater.kernel.vault import KEY_FILE

_ROOM = 512 * 1024 * 1024
_OLDEST = (3, 11)


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    what: str
    well: bool
    sentence: str


def _well(what: str, sentence: str) -> Finding:
    return Finding(what, well=True, sentence=sentence)


def _bad(what: str, sentence: str) -> Finding:
    return Finding(what, well=False, sentence=sentence)


async def examine(folder: Path) -> list[Finding]:
    """Every finding about this machine and the house in a data folder; starts nothing that was not asked to run."""
    settings = Settings.read()
    findings = [_python(), _packages(), _folder(folder), _room(folder), _key(folder, settings)]
    findings.append(await _port(folder, settings))
    findings += [finding async for finding in _database(folder, settings)]
    return findings


def _python() -> Finding:
    version = platform.python_version()
    return Finding("python", well=sys.version_info >= _OLDEST, sentence=f"{version} ({sys.implementation.name})")


def _packages() -> Finding:
    return _well(
        "packages",
        f"asyncpg {asyncpg.__version__}, uvicorn {uvicorn.__version__}, httptools {httptools.__version__}",
    )


def _folder(folder: Path) -> Finding:
    if not folder.exists():
        return _well("data folder", f"{folder} is not there yet: the first start makes it")
    if not os.access(folder, os.W_OK | os.X_OK):
        return _bad("data folder", f"{folder} cannot be written: run as its owner, or choose another with --data")
    return _well("data folder", str(folder.resolve()))


def _room(folder: Path) -> Finding:
    place = folder if folder.exists() else folder.absolute().parent
    free = shutil.disk_usage(place if place.exists() else Path.cwd()).free
    sentence = f"{free // 2**20:,} MiB are free"
    return Finding("disk", well=free > _ROOM, sentence=sentence if free > _ROOM else f"only {sentence}: make room")


def _key(folder: Path, settings: Settings) -> Finding:
    try:
        external = settings.part(DatabaseSettings).url is not None
        file = folder / KEY_FILE
        if not external and not file.exists():
            return _well("encryption key", "none yet: the first start makes it")
        mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
        return Finding(
            "encryption key",
            well=not mode & 0o077,
            sentence=f"{file.name} has mode {mode:o}; keep a copy with your backups",
        )
    except Refusal as refusal:
        return _bad("settings", refusal.message)


async def _port(folder: Path, settings: Settings) -> Finding:
    server = settings.part(ServerSettings)
    with socket.socket(socket.AF_INET6 if ":" in server.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((server.host, server.port))
        except OSError as failure:
            runs = settings.part(DatabaseSettings).url is None and await attach(folder) is not None
            sentence = "this folder's server listens there" if runs else f"{failure}: choose another with --port"
            return Finding("port", well=runs, sentence=f"{server.host}:{server.port}: {sentence}")
    return _well("port", f"{server.host}:{server.port} is free")


async def _database(folder: Path, settings: Settings) -> AsyncGenerator[Finding]:
    external = settings.part(DatabaseSettings).url is not None
    if not external and await attach(folder) is None:
        yield _well("database", "does not run: `headwater serve` starts it")
        return
    ground = Ground(
        settings=settings, folder=folder, components=find_components(), clock=SystemClock(), observer=Observer()
    )
    try:
        async with stand_on(ground, shared=True, dry_run=True) as foundation:
            version = await foundation.database.single(lambda tx: tx.version())
            yield _well("database", f"PostgreSQL {version} answers")
            pending = len(foundation.applied)
            yield _well("migrations", f"{pending} to be applied at the next start" if pending else "all are applied")
            watched = "an event trigger tells of them" if foundation.ddl_watched else "looked for each second"
            yield _well("schema changes", watched)
    except (Refusal, OSError, asyncpg.PostgresError) as failure:
        yield _bad("database", str(failure))
