"""Workers over one database, and jobs that leave marks in rows."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from headwater.kernel.bus import PostgresBus
from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Connect, Database, ReadingTransaction, WritingTransaction
from headwater.kernel.events import EventRecorder
from headwater.kernel.jobs import BoundJob, BoundTimer, Job, JobRecorder, JobRun, JobSettings, Timer, Worker
from headwater.kernel.models import Effects, JobCall
from headwater.kernel.observe import Observer

SEED = int(os.environ.get("HEADWATER_SEED") or 2026)
PROMPT = JobSettings(poll=0.03, stop_patience=1)
CREATE_MARKS = "create table public.marks (id bigint generated always as identity, mark text)"


class Letter(msgspec.Struct):
    """What the tests' jobs are called with."""

    text: str


async def mark(tx: WritingTransaction, run: JobRun) -> None:
    """Leave a mark in a row."""
    assert isinstance(run.arguments, Letter)
    await tx.execute("insert into public.marks (mark) values ($1)", run.arguments.text)


def job(operation: Callable[..., Awaitable[object]] = mark, name: str = "mark", **declared: Any) -> BoundJob:
    """A job as boot would bind it."""
    declared.setdefault("backoff", timedelta(seconds=10))
    return BoundJob(Job(name=name, arguments=Letter, operation=operation, **declared), operation)


def timer(
    operation: Callable[..., Awaitable[object]], every: timedelta | None = None, name: str = "tick", **declared: Any
) -> BoundTimer:
    """A timer as boot would bind it."""
    return BoundTimer(Timer(name=name, every=every, operation=operation, **declared), operation)


class House:
    """As many workers as a test wants, over one database."""

    def __init__(self, connector: Connect, database: Database, clock: DrivenClock, observer: Observer) -> None:
        self.connector = connector
        self.database = database
        self.clock = clock
        self.observer = observer
        self.carried_out: list[Effects] = []
        self._closing: list[Callable[[], Awaitable[None]]] = []

    async def worker(
        self, *jobs: BoundJob, timers: Sequence[BoundTimer] = (), settings: JobSettings = PROMPT
    ) -> Worker:
        """A started worker of its own node."""
        bus = PostgresBus(self.connector, self.database, self.observer)
        await bus.start()

        async def carry_out(effects: Effects) -> None:
            self.carried_out.append(effects)

        declared = {bound.declaration.name: bound for bound in jobs}
        worker = Worker(self.database, self.clock, self.observer, declared, timers, bus, carry_out, settings)
        await worker.start()
        self._closing += [bus.stop, worker.stop]
        return worker

    async def close(self) -> None:
        """Stop every worker."""
        while self._closing:
            await self._closing.pop()()

    async def enqueue(self, *texts: str, name: str = "mark", after: timedelta | None = None, **call: Any) -> None:
        """Commit a transaction that calls a job once for each text."""

        async def work(tx: WritingTransaction) -> None:
            for text in texts:
                due = None if after is None else tx.now + after
                tx.enqueue(JobCall(job=name, arguments=Letter(text), due=due, **call))

        await self.database.writing(work)

    async def value(self, sql: str, *arguments: object) -> Any:
        """The first column of a statement's first row."""
        return await self.database.single(lambda tx: tx.value(sql, *arguments))

    async def marks(self) -> list[str]:
        """Every mark, in order."""

        async def work(tx: ReadingTransaction) -> list[str]:
            return [row["mark"] for row in await tx.rows("select mark from public.marks order by id")]

        return await self.database.single(work)

    async def until_marks(self, *marks: str) -> None:
        """Return when exactly these marks stand, in any order."""
        async with asyncio.timeout(30):
            while sorted(await self.marks()) != sorted(marks):  # noqa: ASYNC110 - rows ring no bell
                await asyncio.sleep(0.01)

    async def until_value(self, expected: object, sql: str, *arguments: object) -> None:
        """Return when a statement gives this value."""
        async with asyncio.timeout(30):
            while await self.value(sql, *arguments) != expected:  # noqa: ASYNC110 - rows ring no bell
                await asyncio.sleep(0.01)


@pytest.fixture
async def house(connector: Connect, database: Database, clock: DrivenClock, observer: Observer) -> AsyncIterator[House]:
    """A database with marks, whose transactions may call the jobs `mark` and `other`."""
    database.add_recorder(JobRecorder({name: job(name=name).declaration for name in ("mark", "other")}))
    database.add_recorder(EventRecorder())
    await database.writing(lambda tx: tx.execute(CREATE_MARKS))
    opened = House(connector, database, clock, observer)
    yield opened
    await opened.close()
