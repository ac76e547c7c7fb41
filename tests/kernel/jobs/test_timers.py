"""Timers run on one node at a time, in their rhythm, and make up once for what was missed."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from headwater.kernel.database import WritingTransaction
from headwater.kernel.jobs import BoundTimer
from headwater.kernel.observe import JobFailed, Observation
from tests.kernel.jobs.conftest import SEED, House, timer
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


async def test_another_rhythm_counts_from_the_start_that_declares_it(house: House) -> None:
    start = house.clock.now()
    for every in (timedelta(days=1), MINUTE, timedelta(days=2)):
        worker = await house.worker(timers=[timer(tick, every)])
        assert await house.value(DUE) == start + every
        await worker.stop()
        house.clock.advance(10)
        await (await house.worker(timers=[timer(tick, every)])).stop()
        assert await house.value(DUE) == start + every
        start = house.clock.now()


async def test_a_run_that_was_missed_is_made_up_for_also_in_another_rhythm(house: House) -> None:
    worker = await house.worker(timers=[timer(tick, MINUTE)])
    await worker.stop()
    house.clock.advance(3600)
    await house.worker(timers=[timer(tick, cron="0 3 1 * *")])
    await house.until_value(datetime(2030, 1, 1, 3, tzinfo=UTC), DUE)
    assert await house.marks() == ["tick"]


async def test_a_timer_that_fails_is_undone_told_and_tried_again(house: House, observations: list[Observation]) -> None:
    outcomes = iter([ZeroDivisionError, None])

    async def fail_once(tx: WritingTransaction) -> None:
        await tick(tx)
        if failure := next(outcomes):
            raise failure

    start = house.clock.now()
    await house.worker(timers=[timer(fail_once, timedelta(hours=1))])
    house.clock.advance(3600)
    await until(lambda: any(isinstance(seen, JobFailed) for seen in observations))
    await house.until_value(house.clock.now() + MINUTE, DUE)
    assert await house.marks() == []
    house.clock.advance(60)
    await house.until_marks("tick")
    await house.until_value(start + timedelta(hours=2), DUE)
    assert await house.value("select (failures, error) is not distinct from (0, null) from system.timers") is True


async def test_cron_survives_downtime_and_the_change_of_clocks_with_one_run_each(house: House) -> None:
    """A year of nights in Berlin, on two nodes that are down now and then."""
    zone, seeded, runs = ZoneInfo("Europe/Berlin"), random.Random(SEED), list[datetime]()

    async def note(tx: WritingTransaction) -> None:
        runs.append(tx.now)
        await tick(tx)

    nightly = timer(note, cron="30 2 * * *", zone="Europe/Berlin")
    house.clock.advance((datetime(2030, 3, 29, tzinfo=UTC) - house.clock.now()).total_seconds())
    missed, due = 0, (await declared_due(house, nightly))
    for _ in range(8):
        nodes = [await house.worker(timers=[nightly]) for _ in range(2)]
        for _ in range(seeded.randint(1, 3)):
            house.clock.advance((due - house.clock.now()).total_seconds())
            await house.until_value(nightly.declaration.next_due(due, house.clock.now()), DUE)
            assert runs[-1] == due
            due = await house.value(DUE)
        for node in nodes:
            await node.stop()
        down = seeded.randint(0, 40)
        house.clock.advance(down * 24 * 3600 + 60)
        late = house.clock.now() >= due
        missed += late
        if late:
            await (await house.worker(timers=[nightly])).stop()
            before = len(runs)
            await house.until_value(nightly.declaration.next_due(due, house.clock.now()), DUE)
            assert len(runs) == before and runs[-1] == house.clock.now()
            due = await house.value(DUE)
    assert missed > 2
    on_time = [run for run in runs if run.astimezone(zone).minute == 30]
    assert len(on_time) == len(set(on_time)) == len(runs) - missed
    assert await house.value("select count(*) from public.marks") == len(runs)


async def declared_due(house: House, bound: BoundTimer) -> datetime:
    """When a timer that was just declared is first due."""
    await (await house.worker(timers=[bound])).stop()
    return await house.value(DUE)


async def test_a_timer_does_not_drift_through_slow_runs_and_failures(house: House) -> None:
    start, failing = house.clock.now(), [False, True, True, False, False]

    async def stumble(tx: WritingTransaction) -> None:
        if failing and failing.pop(0):
            raise ZeroDivisionError
        await tick(tx)

    await house.worker(timers=[timer(stumble, timedelta(hours=1))])
    for hours, pauses in ((1, 0), (2, 2), (3, 0), (4, 0)):
        house.clock.advance((start + timedelta(hours=hours) - house.clock.now()).total_seconds())
        for pause in range(pauses):
            await house.until_value(pause + 1, "select failures from system.timers")
            house.clock.advance(60)
        await house.until_value(start + timedelta(hours=hours + 1), DUE)
    assert len(await house.marks()) == 4


async def test_a_slow_timer_delays_no_other(house: House) -> None:
    async def dawdle(tx: WritingTransaction) -> None:
        await ended.wait()

    ended = asyncio.Event()
    await house.worker(timers=[timer(dawdle, MINUTE, name="slow"), timer(tick, MINUTE)])
    house.clock.advance(60)
    await house.until_marks("tick")
    ended.set()
