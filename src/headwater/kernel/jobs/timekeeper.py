"""What waits for its time: timers, and jobs that are due later."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from time import perf_counter

from headwater.kernel.bus import Rounds, Tasks
from headwater.kernel.clock import Clock
from headwater.kernel.database import Database, WritingTransaction
from headwater.kernel.errors import TimedOut
from headwater.kernel.events import CarryOut
from headwater.kernel.jobs import queries
from headwater.kernel.jobs.faults import told_error
from headwater.kernel.jobs.models import BoundTimer, JobSettings
from headwater.kernel.observe import JobFailed, JobFinished, Observer

_BATCH = 1000


class Timekeeper:
    """Runs timers, each on one node at a time, and lets jobs into the queue when the house's clock says so.

    A timer first runs at the first moment of its rhythm after it was declared. What it missed while no node ran, it
    makes up for once. A timer that fails is tried again after `timer_pause` seconds, or at the next moment of its
    rhythm if that is sooner; the rhythm is not moved by it. One whose rhythm was taken away is forgotten.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        observer: Observer,
        timers: Iterable[BoundTimer],
        carry_out: CarryOut,
        settings: JobSettings,
        on_due: Callable[[], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._observer = observer
        declared = {bound.declaration.name: bound for bound in timers}
        self._timers = {name: bound for name, bound in declared.items() if bound.declaration.runs}
        self._stopped = sorted(set(declared) - set(self._timers))
        self._carry_out = carry_out
        self._settings = settings
        self._on_due = on_due
        self._running: set[str] = set()
        self._tasks = Tasks("timers", observer)
        self._rounds = Rounds("timers", observer, self._look)

    async def start(self) -> None:
        """Begin. Raises `DatabaseUnavailable`."""

        async def declare(tx: WritingTransaction) -> None:
            timers = [bound.declaration for bound in self._timers.values()]
            due = [timer.first_due(tx.now) for timer in timers]
            await queries.add_timers(tx, list(self._timers), [timer.rhythm for timer in timers], due)
            await queries.remove_timers(tx, self._stopped)

        await self._database.writing(declare)
        self._rounds.start()

    def ring(self) -> None:
        """Look now, because something may be due sooner than was known."""
        self._rounds.ring()

    async def stop(self) -> None:
        """Let timers that run come to their end for a while, and begin no other."""
        await self._rounds.stop()
        await self._tasks.stop(self._settings.stop_patience)

    async def _look(self) -> float:
        agenda = await self._database.single(lambda tx: queries.find_agenda(tx, list(self._timers)))
        now = self._clock.now()
        for name in set(agenda.timers) - self._running:
            self._running.add(name)
            self._tasks.start(self._run(self._timers[name])).add_done_callback(partial(self._forget, name))
        if agenda.next_job is not None and agenda.next_job <= now:
            return 0.0 if await self._queue_due_jobs() else self._settings.poll
        upcoming = [due - now for due in (agenda.next_job, agenda.next_timer) if due is not None]
        return min([self._settings.poll, *(max(wait.total_seconds(), 0.0) for wait in upcoming)])

    async def _queue_due_jobs(self) -> int:
        count, _ = await self._database.writing(lambda tx: queries.queue_due_jobs(tx, _BATCH))
        if count:
            self._on_due()
        return count

    async def _run(self, bound: BoundTimer) -> None:
        timer = bound.declaration

        async def work(tx: WritingTransaction) -> bool:
            found = await queries.lock_due_timer(tx, timer.name)
            if found is None:
                return False
            began = perf_counter()
            await bound.operation(tx)
            await queries.finish_timer(tx, timer.name, timer.next_due(found.beat, tx.now), perf_counter() - began)
            return True

        started = perf_counter()
        limit = asyncio.timeout(self._settings.timer_timeout)
        try:
            async with limit:
                ran, effects = await self._database.writing(work)
        except Exception as failure:  # noqa: BLE001 - whatever it is, it is told, and the timer tried again
            told = TimedOut(seconds=self._settings.timer_timeout) if limit.expired() else failure
            self._observer.tell(JobFailed(job=timer.name, attempt=1, final=False, failure=told))
            await self._postpone(bound, told)
            return
        if ran:
            self._observer.tell(JobFinished(job=timer.name, attempt=1, seconds=perf_counter() - started))
            await self._carry_out(effects)

    async def _postpone(self, bound: BoundTimer, failure: BaseException) -> None:
        timer = bound.declaration
        pause = timedelta(seconds=self._settings.timer_pause)

        async def work(tx: WritingTransaction) -> None:
            if found := await queries.lock_due_timer(tx, timer.name):
                due = min(tx.now + pause, timer.next_due(found.beat, tx.now))
                await queries.postpone_timer(tx, timer.name, due, told_error(failure))

        await self._database.writing(work)

    def _forget(self, name: str, _task: object) -> None:
        self._running.discard(name)
