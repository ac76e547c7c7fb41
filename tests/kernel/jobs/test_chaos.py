"""Random calls, failures, deaths of workers and jumps of the clock: every job's rows happen exactly once."""

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from headwater.kernel.database import WritingTransaction
from headwater.kernel.jobs import JobRun, JobSettings, Worker
from tests.kernel.jobs.conftest import SEED, House, Letter, job, mark, timer
from tests.kernel.jobs.test_timers import DUE, MINUTE

HASTY = JobSettings(poll=0.02, heartbeat=0.3, stop_patience=1, timer_pause=5)
LEFT = "select count(*) from system.jobs"
KEYS = ("red", "green", "blue")


async def die(worker: Worker) -> None:
    """End a worker as SIGKILL would: what it was doing is cut off, and it gives nothing back."""
    rounds = (worker._taking, worker._pulse._rounds, worker._timekeeper._rounds)
    for task in [each._task for each in rounds if each._task] + [*worker._tasks._running]:
        task.cancel()
    await worker._tasks.stop()


@pytest.mark.parametrize("crew", [1, 3])
@pytest.mark.parametrize("turn", [1, 2])
async def test_every_job_happens_once(house: House, crew: int, turn: int, scaled: Callable[[int], int]) -> None:
    seeded = random.Random(SEED * 10 + turn)
    plain: list[str] = []
    calls = dict.fromkeys(KEYS, 0)

    async def stumble(tx: WritingTransaction, run: JobRun) -> None:
        assert isinstance(run.arguments, Letter)
        await mark(tx, run)
        await tx.execute("select pg_sleep($1)", seeded.uniform(0, 0.03))
        if seeded.random() < 0.2:
            raise ZeroDivisionError

    async def tick(tx: WritingTransaction) -> None:
        if seeded.random() < 0.2:
            raise ZeroDivisionError
        await tx.execute("insert into public.marks (mark) values ('tick ' || $1)", str(tx.now))

    async def hire() -> Worker:
        stumbling = job(stumble, attempts=1000, backoff=timedelta(seconds=1))
        other = job(stumble, name="other", attempts=1000, backoff=timedelta(seconds=1), at_once=2)
        return await house.worker(stumbling, other, timers=[timer(tick, MINUTE)], settings=HASTY)

    workers = [await hire() for _ in range(crew)]
    for number in range(scaled(400)):
        name, priority = seeded.choice(("mark", "other")), seeded.randint(-2, 2)
        after = seeded.choice((None, timedelta(seconds=seeded.randint(1, 200))))
        if seeded.random() < 0.5:
            key = seeded.choice(KEYS)
            calls[key] += 1
            await house.enqueue(key, name=name, after=after, priority=priority, unique_key=key)
        else:
            plain.append(f"{number:04}")
            await house.enqueue(plain[-1], name=name, after=after, priority=priority)
        if seeded.random() < 0.25:
            await die(workers.pop(seeded.randrange(crew)))
            workers.append(await hire())
        house.clock.advance(seeded.choice((0, 1, 30, 90)))
        await asyncio.sleep(seeded.uniform(0, 0.06))
    async with asyncio.timeout(120):
        while await house.value(LEFT):
            house.clock.advance(60)
            await asyncio.sleep(0.05)
    marks = await house.marks()
    assert sorted(text for text in marks if text.isdigit()) == plain
    for key, called in calls.items():
        assert (called > 0) <= marks.count(key) <= called
    assert await house.value("select count(*) from system.finished") == sum(text[:4] != "tick" for text in marks)
    ticked = [text for text in marks if text.startswith("tick")]
    assert len(ticked) == len(set(ticked)) > 0
    await house.until_value(True, f"select ({DUE}) > $1", house.clock.now() - MINUTE)
