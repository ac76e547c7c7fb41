"""The processes that answer at one address, kept alive by the one that owns it."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from time import monotonic

import msgspec

from headwater.boot.crew.assignment import READY, Assignment
from headwater.boot.errors import ProcessNotStarted
from headwater.kernel.bus import Tasks
from headwater.kernel.observe import Observer, ProcessEnded, ProcessReady, ServerStopping

SETTLED_AFTER = 10.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 10.0
_LEAST_POOL = 2
_PATIENCE = 5.0
_POOL = "HEADWATER_DATABASE_POOL_MAX"


class Crew:
    """So many processes with one assignment.

    They listen at sockets that this process keeps open: connections that nobody has taken yet outlive whoever dies. One
    that dies is replaced after 0.1 s, and later each time, at most 10 s, unless it had lived for ten. Each has its
    share of the connections to Postgres. If this process is killed the others notice it, and drain.
    """

    def __init__(self, assignment: Assignment, pool: int, observer: Observer) -> None:
        self._assignment = assignment
        self._count = assignment.settings.workers
        self._pool = max(_LEAST_POOL, pool // self._count)
        self._observer = observer
        self._tasks = Tasks("crew", observer)
        self._running: dict[int, Process] = {}
        self._waited_for = set(range(self._count))
        self._begun = asyncio.Event()
        self._stopping = asyncio.Event()
        self._status: int | None = None

    async def start(self) -> None:
        """Return once all of them answer; raises `ProcessNotStarted`, and none is left."""
        for number in range(self._count):
            self._tasks.start(self._keep(number))
        await self._begun.wait()
        if self._status is not None:
            await self.stop()
            raise ProcessNotStarted(status=self._status)

    async def wait(self) -> None:
        """Return once SIGTERM or SIGINT asks for the end."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, self._stopping.set)
        await self._stopping.wait()
        self._observer.tell(ServerStopping(running=len(self._running)))

    async def stop(self) -> None:
        """Let all of them drain, for as long as the settings say; whoever takes longer is killed."""
        self._stopping.set()
        for process in self._running.values():
            _send(process, signal.SIGTERM)
        try:
            await self._tasks.stop(self._assignment.settings.stop_within + _PATIENCE)
        finally:
            for process in self._running.values():
                _send(process, signal.SIGKILL)
            await asyncio.gather(*(process.wait() for process in self._running.values()))

    async def _keep(self, number: int) -> None:
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            began = monotonic()
            status = await self._run(number, began)
            if self._stopping.is_set():
                return
            if number in self._waited_for:
                self._status = status
                self._begun.set()
                return
            if monotonic() - began > SETTLED_AFTER:
                pause = _FIRST_PAUSE
            try:
                async with asyncio.timeout(pause):
                    await self._stopping.wait()
            except TimeoutError:
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _run(self, number: int, began: float) -> int:
        """The life of one process; its exit status, negative for a signal's number."""
        process = self._running[number] = await self._spawn(number)
        if self._stopping.is_set():
            _send(process, signal.SIGTERM)
        assert process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        if await process.stdout.readline() == READY:
            self._observer.tell(ProcessReady(number=number, pid=process.pid, seconds=monotonic() - began))
            self._waited_for.discard(number)
            if not self._waited_for:
                self._begun.set()
        await process.stdout.read()
        status = await process.wait()
        del self._running[number]
        if not self._stopping.is_set():
            self._observer.tell(ProcessEnded(number=number, pid=process.pid, status=status))
        return status

    async def _spawn(self, number: int) -> Process:
        assignment = msgspec.structs.replace(self._assignment, number=number)
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "headwater", "serve-member", msgspec.json.encode(assignment).decode()),
            stdin=PIPE,
            stdout=PIPE,
            pass_fds=assignment.sockets,
            start_new_session=True,  # Ctrl-C is for us, who then ask them one by one
            env={**os.environ, _POOL: str(self._pool)},
        )


def _send(process: Process, what: signal.Signals) -> None:
    if process.returncode is None:
        process.send_signal(what)
