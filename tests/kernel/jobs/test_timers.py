"""Timers run on one node at a time, in their rhythm, and make up once for what was missed."""

import asyncio
from datetime import timedelta

from headwater.kernel.database import WritingTransaction
from headwater.kernel.observe import JobFailed, Observation
from tests.kernel.jobs.conftest import House, timer
from tests.kernel.waiting import until

DUE = "select due from system.timers where name = 'tick'"
MINUTE = timedelta(minutes=1)


async def tick(tx: WritingTransaction) -> None:
    await tx.execute("insert into public.marks (mark) values ('tick')")
    await tx.execute("select pg_sleep(0.05)")


async def test_a_timer_on_two_nodes_runs_once(house: House) -> None:
    await house.worker(timers=[timer(tick, MINUTE)])
    await house.worker(timers=[timer(tick, MINUTE)])
    await asyncio.sleep(0.1)
    assert await house.marks() == []
    for ticks in (1, 2, 3):
        house.clock.advance(60)
        await house.until_marks(*["tick"] * ticks)
        await asyncio.sleep(0.15)
        assert len(await house.marks()) == ticks


async def test_what_was_missed_is_made_up_for_once(house: House) -> None:
    start = house.clock.now()
    worker = await house.worker(timers=[timer(tick, MINUTE)])
    await worker.stop()
    house.clock.advance(3600 + 10)
    await house.worker(timers=[timer(tick, MINUTE)])
    await house.until_value(start + timedelta(seconds=3660), DUE)
    await asyncio.sleep(0.1)
    assert await house.marks() == ["tick"]


async def test_a_faster_rhythm_counts_from_the_next_start(house: House) -> None:
    start = house.clock.now()
    worker = await house.worker(timers=[timer(tick, timedelta(days=1))])
    await worker.stop()
    await house.worker(timers=[timer(tick, MINUTE)])
    assert await house.value(DUE) == start + MINUTE
    await house.worker(timers=[timer(tick, timedelta(days=1))])
    assert await house.value(DUE) == start + MINUTE


async def test_a_timer_that_fails_is_undone_told_and_tried_again(house: House, observations: list[Observation]) -> None:
    outcomes = iter([ZeroDivisionError, None])

    async def fail_once(tx: WritingTransaction) -> None:
        await tick(tx)
        if failure := next(outcomes):
            raise failure

    await house.worker(timers=[timer(fail_once, timedelta(hours=1))])
    house.clock.advance(3600)
    await until(lambda: any(isinstance(seen, JobFailed) for seen in observations))
    await house.until_value(house.clock.now() + MINUTE, DUE)
    assert await house.marks() == []
    house.clock.advance(60)
    await house.until_marks("tick")
    await house.until_value(house.clock.now() + timedelta(hours=1), DUE)


async def test_a_slow_timer_delays_no_other(house: House) -> None:
    async def dawdle(tx: WritingTransaction) -> None:
        await tx.execute("select pg_sleep(1)")

    await house.worker(timers=[timer(dawdle, MINUTE, name="slow"), timer(tick, MINUTE)])
    house.clock.advance(60)
    async with asyncio.timeout(0.9):
        await house.until_marks("tick")
