"""Real `headwater work` processes beside a real server, with a plug-in whose jobs leave marks."""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import asyncpg

from headwater.kernel.database import Connection
from headwater.kernel.database.embedded import attach
from tests.kit.pages import write_entry_point
from tests.kit.server import COMMAND, STOP_WITHIN, RunningServer, new_folder

PLUG_IN = Path(__file__).parent / "marks_app"
PATIENCE = 40.0
QUICK = {"HEADWATER_JOB_HEARTBEAT": "2", "HEADWATER_JOB_POLL": "0.2", "HEADWATER_JOB_STOP_PATIENCE": "2"}


def plugged_in(folder: Path) -> Path:
    """A folder from which Python imports the plug-in as one that is installed."""
    place = folder.with_name("plug-in")
    shutil.copytree(PLUG_IN, place / "headwater_marks", ignore=shutil.ignore_patterns("__pycache__"))
    write_entry_point(place, "marks", "headwater_marks")
    return place


class WorkerProcess:
    """A `headwater work` on the data folder of a server."""

    def __init__(self, server: RunningServer, *arguments: str) -> None:
        self.log = server.folder.with_name(f"work-{time.monotonic_ns()}.log")
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [*COMMAND, "work", "--data", str(server.folder), *arguments],
                stdout=output,
                stderr=output,
                env=server.environment,
            )

    def until_it_works(self) -> None:
        """Return once it says so."""
        eventually(lambda: "WorkerStarted" in self.log.read_text() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()

    def ask_to_stop(self) -> int:
        """Send SIGTERM; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_WITHIN)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.process.kill()
        self.process.wait()


class Shop:
    """A server that may do no jobs itself, and workers beside it."""

    def __init__(self, environment: Mapping[str, str] | None = None, *arguments: str) -> None:
        folder = new_folder()
        path = {"PYTHONPATH": python_path(plugged_in(folder))}
        self.server = RunningServer(folder, {**QUICK, **path, **(environment or {})}, *arguments)
        self.workers: list[WorkerProcess] = []

    def worker(self, *arguments: str) -> WorkerProcess:
        """One more worker, at work."""
        worker = WorkerProcess(self.server, *arguments)
        self.workers.append(worker)
        worker.until_it_works()
        return worker

    def call(self, job: str, texts: Sequence[str], seconds: float = 0.0) -> None:
        """Call a job of the plug-in once for each text."""
        with self.server.client(self.server.admin_key) as client:
            body = {"job": job, "texts": texts, "seconds": seconds}
            client.post("/apps/marks/call", json=body).raise_for_status()

    def sql(self, statement: str) -> list[dict[str, object]]:
        """Run SQL as the cluster's superuser: the schemas of the house are closed to everyone else."""
        return asyncio.run(self._sql(statement))

    def marks(self) -> list[str]:
        """Every mark but the timer's, in order of the alphabet."""
        return [str(row["mark"]) for row in self.sql("select mark from marks.marks where mark <> 'tick' order by mark")]

    def value(self, statement: str) -> object:
        """The first column of a statement's first row."""
        return next(iter(self.sql(statement)[0].values()))

    async def _sql(self, statement: str) -> list[dict[str, object]]:
        address = await attach(self.server.folder)
        assert address is not None
        connection: Connection = await asyncpg.connect(**address.connect_arguments("postgres"))
        try:
            return [dict(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    def forget(self) -> None:
        """End the workers, and forget what was asked of them and what they did."""
        self._end_workers()
        self.sql("truncate marks.marks, system.jobs, system.finished, system.workers")

    def close(self) -> None:
        """End everything."""
        self._end_workers()
        if self.server.process.poll() is None:
            self.server.stop()
        shutil.rmtree(self.server.folder.parent, ignore_errors=True)

    def _end_workers(self) -> None:
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.kill()
        self.workers.clear()


def eventually(condition: Callable[[], object], within: float = PATIENCE) -> None:
    """Return once it holds."""
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "it never came to pass"
        time.sleep(0.05)


def python_path(place: Path) -> str:
    """A PYTHONPATH by which a process imports what lies in `place`, besides what it would."""
    return os.pathsep.join(filter(None, (str(place), os.environ.get("PYTHONPATH"))))
