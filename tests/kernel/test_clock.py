"""The only place that knows what time it is, and one that a test moves."""

import asyncio
from datetime import UTC, datetime, timedelta

from headwater.kernel.clock import DrivenClock, SystemClock


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_system_clock_is_aware_and_runs() -> None:
    clock = SystemClock()
    before = clock.now()
    await clock.sleep(0.001)
    assert before.tzinfo is UTC and timedelta(0) < clock.now() - before < timedelta(seconds=5)
    assert abs(clock.timestamp() - clock.now().timestamp()) < 5


async def test_a_driven_clock_stands_still_until_moved() -> None:
    clock = DrivenClock(datetime(2031, 1, 1, tzinfo=UTC))
    assert clock.now() == clock.now() == datetime(2031, 1, 1, tzinfo=UTC)
    clock.advance(1.5)
    assert clock.timestamp() == datetime(2031, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC).timestamp()


async def test_sleepers_wake_when_their_time_has_come_and_in_its_order() -> None:
    clock = DrivenClock()
    woken: list[float] = []

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    tasks = [asyncio.create_task(sleep(seconds)) for seconds in (30, 10, 20, 10.5)]
    await settle()
    clock.advance(9.9)
    await settle()
    assert woken == []
    clock.advance(10.1)
    await settle()
    assert woken == [10, 10.5, 20]
    clock.advance(10)
    await asyncio.gather(*tasks)
    assert woken == [10, 10.5, 20, 30]


async def test_no_time_is_no_sleep() -> None:
    clock = DrivenClock()
    async with asyncio.timeout(1):
        await clock.sleep(0)
        await clock.sleep(-1)


async def test_a_cancelled_sleeper_harms_nobody() -> None:
    clock = DrivenClock()
    cancelled, other = (asyncio.create_task(clock.sleep(1)) for _ in range(2))
    await settle()
    cancelled.cancel()
    await settle()
    clock.advance(1)
    await other
    assert cancelled.cancelled()
