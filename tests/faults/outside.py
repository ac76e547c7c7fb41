"""A PostgreSQL that is nobody's child: over TCP, with passwords, as a managed one is reached."""

import asyncio
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import asyncpg

from headwater.kernel.database.embedded import EmbeddedSettings
from headwater.kernel.database.embedded.account import give_tree, server_account
from headwater.kernel.database.embedded.binaries import LIBRARIES, PACKAGE, find_binaries

START_WITHIN = 60.0


class OutsidePostgres:
    """A cluster of its own in a temporary folder, listening on 127.0.0.1, scram-sha-256 for everyone.

    `older`: of the older PostgreSQL that the wheel brings, 16.
    """

    def __init__(self, *, older: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hwout"))
        self.folder.chmod(0o755)
        self._account = server_account(self.folder / "cluster")
        if older:
            self._binaries = _older_programs(self.folder)
        else:
            self._binaries = asyncio.run(find_binaries(self._account, EmbeddedSettings().state_folder))
        self.password = secrets.token_hex(12)
        self._make()
        with socket.socket() as probe:  # at the last moment: nobody else is given the port before it is taken
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.start()

    def _make(self) -> None:
        password_file = self.folder / "password"
        password_file.write_text(self.password)
        (self.folder / "cluster").mkdir(0o700)
        give_tree(self.folder, self._account)
        self.folder.chmod(0o755)
        self._popen(
            *("initdb", "--pgdata", str(self.folder / "cluster"), "--username", "postgres", "--encoding", "UTF8"),
            *("--pwfile", str(password_file), "--auth", "scram-sha-256", "--no-instructions", "--no-sync"),
        ).wait(120)

    def start(self) -> None:
        """Start it and return once it answers."""
        self.process = self._popen(
            *("postgres", "-D", str(self.folder / "cluster"), "-p", str(self.port)),
            *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=150"),
        )
        end = time.monotonic() + START_WITHIN
        while time.monotonic() < end:
            try:
                asyncio.run(self.run("select 1"))
            except (OSError, asyncpg.PostgresError):
                time.sleep(0.1)
            else:
                return
        raise AssertionError((self.folder / "log").read_text())

    def stop(self, blow: signal.Signals = signal.SIGINT) -> None:
        """Stop it: fast shutdown, unless told otherwise."""
        self.process.send_signal(blow)
        self.process.wait(60)

    def remove(self) -> None:
        """Stop it and forget everything."""
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, user: str = "postgres", database: str = "postgres") -> str:
        """Where a user of it (all have one password) reaches a database."""
        return f"postgresql://{user}:{self.password}@127.0.0.1:{self.port}/{database}"

    async def run(self, *statements: str, database: str = "postgres") -> object:
        """Run statements as its superuser; what the last one gave first."""
        connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(dsn=self.url(database=database))
        try:
            answers = [await connection.fetchval(statement) for statement in statements]
            return answers[-1]
        finally:
            await connection.close()

    def sql(self, *statements: str, database: str = "postgres") -> object:
        """The same, from where no loop runs."""
        return asyncio.run(self.run(*statements, database=database))

    def _popen(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        root = os.geteuid() == 0
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [str(self._binaries / program), *arguments],
                stdout=log,
                stderr=log,
                cwd="/",
                env={"LC_ALL": "C", "PATH": os.defpath},
                user=self._account.uid if root else None,
                group=self._account.gid if root else None,
                extra_groups=[] if root else None,
            )


def _older_programs(folder: Path) -> Path:
    """A copy of the wheel's older tree, beside its libraries, where anybody can run it."""
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    packages = Path(spec.origin).parents[1]
    for part in (f"{PACKAGE}/pginstall", LIBRARIES):
        shutil.copytree(packages / part, folder / part, symlinks=True, ignore=shutil.ignore_patterns("*.a"))
    return folder / PACKAGE / "pginstall" / "bin"
