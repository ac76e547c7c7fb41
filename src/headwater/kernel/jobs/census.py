"""Counts jobs and timers for the metrics, and tells of jobs that nobody here knows."""

from collections.abc import Collection
from time import perf_counter

from headwater.kernel.bus import Rounds
from headwater.kernel.clock import Clock
from headwater.kernel.database import Database, ReadingTransaction
from headwater.kernel.jobs import queries
from headwater.kernel.jobs.faults import UndeclaredJob
from headwater.kernel.observe import HookFailed, JobCount, JobsCounted, Observer

_SHARE = 20
"""A census that takes long is made less often: it is to cost a twentieth of one connection's time at most."""


class Census:
    """Tells `JobsCounted` every so often: the depth of the queue by job, its age, and how late timers are.

    Every node counts, also one that runs no jobs, so that each node's metrics tell the same. A queued job that is not
    among `jobs` is told once.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        observer: Observer,
        jobs: Collection[str],
        timers: Collection[str],
        every: float,
    ) -> None:
        self._database = database
        self._clock = clock
        self._observer = observer
        self._jobs = jobs
        self._timers = sorted(timers)
        self._every = every
        self._undeclared: set[str] = set()
        self._rounds = Rounds("jobs: census", observer, self._count)

    async def start(self) -> None:
        """Begin to count."""
        self._rounds.start()

    async def stop(self) -> None:
        """Count no more."""
        await self._rounds.stop()

    async def _count(self) -> float:
        began = perf_counter()

        async def work(tx: ReadingTransaction) -> tuple[list[queries.JobCounts], dict[str, float]]:
            return await queries.list_counts(tx), await queries.measure_lags(tx, self._timers)

        counts, lags = await self._database.reading(work)
        took, now = perf_counter() - began, self._clock.now()
        counted = {count.name: count for count in counts}
        told: list[JobCount] = []
        for name in sorted({*self._jobs, *counted}):
            count = counted.get(name, queries.JobCounts(name, 0, 0, 0, 0, None, None, None))
            oldest = 0.0 if count.oldest is None else max((now - count.oldest).total_seconds(), 0.0)
            told.append(JobCount(name, count.queued, count.waiting, count.running, count.failed, oldest))
        self._observer.tell(JobsCounted(jobs=tuple(told), timer_lags=tuple(lags.items())))
        self._tell_undeclared({count.name for count in counts if count.queued} - set(self._jobs))
        return max(self._every, took * _SHARE)

    def _tell_undeclared(self, found: set[str]) -> None:
        for name in sorted(found - self._undeclared):
            self._observer.tell(HookFailed(part="jobs", failure=UndeclaredJob(name)))
        self._undeclared = found
