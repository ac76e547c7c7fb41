"""Runs jobs and timers, in the server or in a process of its own."""

import asyncio
from collections.abc import Iterable, Mapping
from time import perf_counter
from uuid import UUID

import asyncpg

from headwater.kernel.bus import Bus, Rounds, Tasks
from headwater.kernel.clock import Clock
from headwater.kernel.database import Database, WritingTransaction
from headwater.kernel.errors import TimedOut
from headwater.kernel.events import CarryOut
from headwater.kernel.ids import new_id
from headwater.kernel.jobs import queries
from headwater.kernel.jobs.attempt import attempt
from headwater.kernel.jobs.declarations import Job
from headwater.kernel.jobs.faults import WorkerLost, told_error, told_traceback
from headwater.kernel.jobs.models import BoundJob, BoundTimer, JobSettings, Picked
from headwater.kernel.jobs.pulse import Pulse
from headwater.kernel.jobs.rules import pause_after
from headwater.kernel.jobs.timekeeper import Timekeeper
from headwater.kernel.models import Effects
from headwater.kernel.observe import JobFailed, JobFinished, Observer

TOPIC = "jobs"


class Worker:
    """Takes jobs of the given names from the queue and runs them, `slots` at once; keeps the timers.

    A job's effects on rows happen exactly once: its id enters `system.finished` in the transaction of its
    operation, or after the operation if that opens its own. A failed attempt waits for the next; the last one is kept
    as failed, with its error. `carry_out` does what is due after a commit.
    """

    def __init__(  # noqa: PLR0913 - what the house hands to each of its engines
        self,
        database: Database,
        clock: Clock,
        observer: Observer,
        jobs: Mapping[str, BoundJob],
        timers: Iterable[BoundTimer],
        bus: Bus,
        carry_out: CarryOut,
        settings: JobSettings | None = None,
    ) -> None:
        self._database = database
        self._observer = observer
        self._jobs = jobs
        self._lanes = {name: bound.declaration.at_once for name, bound in jobs.items()}
        self._bounded = [name for name, at_once in self._lanes.items() if at_once is not None]
        self._bus = bus
        self._carry_out = carry_out
        self._settings = settings or JobSettings()
        self._id = new_id()
        self._running: set[UUID] = set()
        self._full = False
        self._strayed = False
        self._tasks = Tasks("jobs", observer)
        self._taking = Rounds("jobs", observer, self._take)
        self._pulse = Pulse(database, observer, self._id, self._settings.heartbeat, on_found=self._taking.ring)
        self._timekeeper = Timekeeper(
            database, clock, observer, timers, carry_out, self._settings, on_due=self._taking.ring
        )

    @property
    def names(self) -> list[str]:
        """The jobs it takes."""
        return list(self._lanes)

    @property
    def running(self) -> int:
        """How many jobs run now."""
        return len(self._running)

    async def start(self) -> None:
        """Begin to work. Raises `DatabaseUnavailable`."""
        await self._pulse.start()
        await self._timekeeper.start()
        self._bus.subscribe(TOPIC, self._wake)
        self._bus.on_gap(self._taking.ring)
        self._taking.start()

    async def stop(self) -> None:
        """Take nothing new, finish what ends within `stop_patience` seconds, put the rest back."""
        await self._taking.stop()
        await asyncio.gather(self._timekeeper.stop(), self._tasks.stop(self._settings.stop_patience))
        await self._pulse.stop()

    def hurry(self) -> None:
        """Let every worker look now, and not only at its next poll."""
        self._tasks.start(self._bus.publish(TOPIC))

    def _wake(self, _message: bytes) -> None:
        self._taking.ring()
        self._timekeeper.ring()

    async def _take(self) -> float:
        free = self._settings.slots - len(self._running)
        picked = await self._pick(free) if free > 0 and self._lanes else []
        self._full = len(picked) == free
        for one in picked:
            self._running.add(one.id)
            self._tasks.start(self._work_on(one))
        return self._settings.poll

    async def _pick(self, limit: int) -> list[Picked]:
        async def work(tx: WritingTransaction) -> list[Picked]:
            if self._strayed:
                await queries.release_jobs(tx, self._id, list(self._running), uncounted=False)
            if self._bounded:
                await queries.lock_lanes(tx, self._bounded)
            return await queries.pick_jobs(tx, self._lanes, self._id, limit)

        try:
            picked, _ = await self._database.writing(work)
        except asyncpg.ForeignKeyViolationError:  # given up while it was silent: what it ran is others' now
            await self._pulse.revive()
            return []
        self._strayed = False
        return picked

    async def _work_on(self, picked: Picked) -> None:
        bound = self._jobs[picked.job]
        job = bound.declaration
        effects = Effects()
        started = perf_counter()
        limit = asyncio.timeout(job.timeout.total_seconds())
        try:
            if picked.attempt > job.attempts:
                raise WorkerLost(job.attempts)
            async with limit:
                await attempt(self._database, bound, picked, effects)
        except Exception as failure:  # noqa: BLE001 - whatever it is, it is told, and the job tried again
            told = TimedOut(seconds=job.timeout.total_seconds()) if limit.expired() else failure
            await self._note_failure(job, picked, told)
        else:
            self._observer.tell(JobFinished(job=job.name, attempt=picked.attempt, seconds=perf_counter() - started))
        finally:
            self._running.discard(picked.id)
            if self._full or job.at_once is not None:
                self._taking.ring()
            await self._carry_out(effects)

    async def _note_failure(self, job: Job, picked: Picked, failure: Exception) -> None:
        final = picked.attempt >= job.attempts

        async def work(tx: WritingTransaction) -> None:
            if not await queries.lock_running(tx, picked.id, self._id):
                return  # taken over by another worker, or finished at the last moment
            if final:
                await queries.fail_job(tx, picked.id, told_error(failure), told_traceback(failure))
            else:
                due = tx.now + pause_after(picked.attempt, job.backoff)
                await queries.postpone_job(tx, picked.id, due, told_error(failure))

        try:
            await self._database.writing(work)
        except Exception:
            self._strayed = True  # it runs nowhere, and its row says that it runs here
            raise
        finally:
            self._observer.tell(JobFailed(job=job.name, attempt=picked.attempt, final=final, failure=failure))
        self._timekeeper.ring()
