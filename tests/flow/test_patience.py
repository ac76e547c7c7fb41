"""A limit on time that costs nothing until somebody waits."""

import asyncio

import pytest

from headwater.flow.patience import within


async def test_what_does_not_wait_needs_no_timer() -> None:
    async def work() -> int:
        return 7

    assert await within(0, work()) == 7


async def test_what_waits_is_carried_through() -> None:
    async def work() -> list[int]:
        seen = [1]
        await asyncio.sleep(0)
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(5)
        except TimeoutError:
            seen.append(2)
        seen.append(await asyncio.to_thread(lambda: 3))
        return seen

    assert await within(5, work()) == [1, 2, 3]


@pytest.mark.parametrize("pause", [0, 0.001])
async def test_a_failure_is_the_callers(pause: float) -> None:
    async def work() -> None:
        await asyncio.sleep(pause)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await within(5, work())


async def test_time_that_is_over_cancels_the_work() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    with pytest.raises(TimeoutError):
        await within(0.01, work())
    assert ended == ["cancelled"]


async def test_a_caller_who_is_cancelled_cancels_the_work() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(5)
        finally:
            ended.set()

    task = asyncio.ensure_future(within(10, work()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
