"""The life of workers: each counts on, and one whose count stands still is given up."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from uuid import UUID

from headwater.kernel.bus import Rounds
from headwater.kernel.database import Database, WritingTransaction
from headwater.kernel.errors import Busy, DatabaseUnavailable
from headwater.kernel.jobs import queries
from headwater.kernel.observe import Observer, WorkerGivenUp


class Pulse:
    """Shows that a worker lives, and queues the jobs of those that do not.

    A worker counts on in its row three times in `silence` seconds. Whoever sees a count stand still for `silence`
    seconds by a stopwatch of its own gives that worker up; clocks of two machines are never compared. A worker that was
    given up and lives makes itself known again. `on_found` is called when jobs were queued.
    """

    def __init__(
        self, database: Database, observer: Observer, worker: UUID, silence: float, on_found: Callable[[], None]
    ) -> None:
        self._database = database
        self._observer = observer
        self._worker = worker
        self._silence = silence
        self._on_found = on_found
        self._place = f"{socket.gethostname()}:{os.getpid()}"
        self._seen: dict[UUID, tuple[int, float]] = {}
        self._rounds = Rounds("jobs: heartbeat", observer, self._round)

    async def start(self) -> None:
        """Make the worker known, and begin to count and to watch. Raises `DatabaseUnavailable`."""
        await self.revive()
        self._rounds.start()

    async def revive(self) -> None:
        """Make the worker known, if it is not."""
        await self._database.writing(lambda tx: queries.add_worker(tx, self._worker, self._place))

    async def stop(self) -> None:
        """Queue what the worker still holds, as if it had never been picked, and forget the worker."""

        async def leave(tx: WritingTransaction) -> None:
            await queries.release_jobs(tx, self._worker, uncounted=True)
            await queries.remove_worker(tx, self._worker)

        await self._rounds.stop()
        with suppress(DatabaseUnavailable, Busy):  # others give this worker up once it is silent long enough
            await self._database.writing(leave)

    async def _round(self) -> float:
        try:
            counted, _ = await self._database.writing(lambda tx: queries.beat_worker(tx, self._worker))
            if not counted:
                await self.revive()
            await self._watch()
        except (DatabaseUnavailable, Busy):
            self._seen.clear()  # while nobody could count, no silence means anything
            raise
        return self._silence / 3

    async def _watch(self) -> None:
        beats, now = await self._database.single(queries.list_beats), monotonic()
        self._seen = {
            worker: (count, self._seen[worker][1] if self._seen.get(worker, (None,))[0] == count else now)
            for worker, count in beats.items()
            if worker != self._worker
        }
        for worker, (count, since) in self._seen.items():
            if now - since >= self._silence:
                await self._give_up(worker, count)

    async def _give_up(self, worker: UUID, count: int) -> None:
        async def work(tx: WritingTransaction) -> int | None:
            if not await queries.lock_silent_worker(tx, worker, count):
                return None
            released = await queries.release_jobs(tx, worker, uncounted=False)
            await queries.remove_worker(tx, worker)
            return released

        released, _ = await self._database.writing(work)
        if released is not None:
            self._observer.tell(WorkerGivenUp(worker=str(worker), jobs=released))
            self._on_found()
