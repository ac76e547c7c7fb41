"""Runs jobs and timers, in the server or in a process of its own."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from time import perf_counter

import msgspec

from headwater.kernel.bus import Bus, Rounds, Tasks
from headwater.kernel.clock import Clock
from headwater.kernel.database import Database, WritingTransaction
from headwater.kernel.errors import Busy, DatabaseUnavailable, TimedOut
from headwater.kernel.events import CarryOut
from headwater.kernel.ids import new_id
from headwater.kernel.jobs import queries, queue
from headwater.kernel.jobs.attempt import attempt
from headwater.kernel.jobs.declarations import Job
from headwater.kernel.jobs.faults import UndeclaredJob, WorkerLost
from headwater.kernel.jobs.models import BoundJob, BoundTimer, JobSettings, Ticket
from headwater.kernel.jobs.queue import Picked
from headwater.kernel.jobs.rules import pause_after
from headwater.kernel.jobs.timekeeper import Timekeeper
from headwater.kernel.models import Effects
from headwater.kernel.observe import HookFailed, JobFailed, JobFinished, Observer

TOPIC = "jobs"
_CENSUS_EVERY = 60.0


class Worker:
    """Takes jobs of the declared names from the queue and runs them, `slots` at once; keeps the timers.

    A job's effects on rows happen exactly once: its id enters `system.finished` in the transaction of its
    operation, or after the operation if that opens its own. A failed attempt waits in `system.timers` for the
    next; the last one stays in the queue as `failed`, with its error in the queue's log. `carry_out` does what is due
    after a commit.
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
        self._names = list(jobs)
        self._bus = bus
        self._carry_out = carry_out
        self._settings = settings or JobSettings()
        self._id = new_id()
        self._running: set[int] = set()
        self._full = False
        self._undeclared: set[str] = set()
        self._tasks = Tasks("jobs", observer)
        self._taking = Rounds("jobs", observer, self._take)
        self._beating = Rounds("jobs: heartbeat", observer, self._beat)
        self._census = Rounds("jobs: census", observer, self._count_undeclared)
        self._timekeeper = Timekeeper(
            database, clock, observer, timers, carry_out, self._settings, on_due=self._taking.ring
        )

    @property
    def running(self) -> int:
        """How many jobs run now."""
        return len(self._running)

    async def start(self) -> None:
        """Begin to work. Raises `DatabaseUnavailable`."""
        await self._timekeeper.start()
        self._bus.subscribe(TOPIC, self._wake)
        self._bus.on_gap(self._taking.ring)
        for rounds in (self._taking, self._beating, self._census):
            rounds.start()

    async def stop(self) -> None:
        """Take nothing new, finish what ends within `stop_patience` seconds, put the rest back."""
        await self._taking.stop()
        await asyncio.gather(self._timekeeper.stop(), self._tasks.stop(self._settings.stop_patience))
        await asyncio.gather(self._beating.stop(), self._census.stop())
        with suppress(DatabaseUnavailable, Busy):  # others take over what stays behind once it is silent long enough
            await self._database.writing(lambda tx: queries.release_picked(tx, self._id))

    def hurry(self) -> None:
        """Let every worker look now, and not only at its next poll."""
        self._tasks.start(self._bus.publish(TOPIC))

    def _wake(self, _message: bytes) -> None:
        self._taking.ring()
        self._timekeeper.ring()

    async def _take(self) -> float:
        free = self._settings.slots - len(self._running)
        picked = await self._pick(free) if free > 0 and self._names else []
        self._full = len(picked) == free
        for one in picked:
            if one.row.id not in self._running:  # else a late heartbeat let us pick what runs here
                self._running.add(one.row.id)
                self._tasks.start(self._work_on(one))
        return self._settings.poll

    async def _pick(self, limit: int) -> list[Picked]:
        async def work(tx: WritingTransaction) -> list[Picked]:
            rows = await queue.dequeue(tx.connection, self._names, self._id, limit, self._settings.heartbeat)
            if not rows:
                return []
            counts = await queries.count_attempts(tx, [row.id for row in rows])
            picked: list[Picked] = []
            for row in rows:
                try:
                    ticket = queue.ticket_of(row)
                except msgspec.DecodeError as failure:
                    await queue.settle(tx.connection, row, "failed", failure)
                    self._observer.tell(JobFailed(job=row.entrypoint, attempt=1, final=True, failure=failure))
                else:
                    picked.append(Picked(row, ticket, ticket.attempts + counts[row.id]))
            return picked

        return (await self._database.writing(work))[0]

    async def _work_on(self, picked: Picked) -> None:
        bound = self._jobs[picked.ticket.job]
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
            self._running.discard(picked.row.id)
            if self._full:
                self._taking.ring()
            await self._carry_out(effects)

    async def _note_failure(self, job: Job, picked: Picked, failure: Exception) -> None:
        final = picked.attempt >= job.attempts
        again = Ticket(picked.ticket.id, job.name, picked.attempt, picked.ticket.arguments)

        async def work(tx: WritingTransaction) -> None:
            if not await queries.lock_picked(tx, picked.row.id, self._id):
                return  # taken over by another worker, or finished at the last moment
            await queue.settle(tx.connection, picked.row, "failed" if final else "exception", failure)
            if not final:
                due = tx.now + pause_after(picked.attempt, job.backoff)
                await queries.add_waiting_jobs(tx, [again], [due])

        try:
            await self._database.writing(work)
        finally:
            self._observer.tell(JobFailed(job=job.name, attempt=picked.attempt, final=final, failure=failure))
        self._timekeeper.ring()

    async def _beat(self) -> float:
        if rows := list(self._running):
            await self._database.single(lambda tx: queue.beat(tx.connection, rows))
        return self._settings.heartbeat / 3

    async def _count_undeclared(self) -> float:
        """Tell once of each name in the queue that nobody here can work on."""
        found = set(await self._database.single(lambda tx: queries.find_undeclared(tx, self._names)))
        for name in found - self._undeclared:
            self._observer.tell(HookFailed(part="jobs", failure=UndeclaredJob(name)))
        self._undeclared = found
        return _CENSUS_EVERY
