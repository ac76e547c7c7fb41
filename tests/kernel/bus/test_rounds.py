"""Rounds outlive failures, come when rung, and end when told."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from headwater.kernel.bus import Rounds, Tasks
from headwater.kernel.errors import DatabaseUnavailable
from headwater.kernel.observe import HookFailed, Observation, Observer
from tests.kernel.waiting import until


class Counter:
    def __init__(self, seconds: float | None, failures: int = 0, kind: type[Exception] = ZeroDivisionError) -> None:
        self.seconds = seconds
        self.failures = failures
        self.kind = kind
        self.count = 0

    async def __call__(self) -> float | None:
        self.count += 1
        if self.count <= self.failures:
            raise self.kind
        return self.seconds


async def test_a_round_comes_when_rung_and_when_its_time_is_over(observer: Observer) -> None:
    counter = Counter(60)
    rounds = Rounds("part", observer, counter)
    rounds.start()
    await until(lambda: counter.count == 1)
    counter.seconds = 0.01
    rounds.ring()
    await until(lambda: counter.count > 3)
    counter.seconds = None
    await asyncio.sleep(0.05)
    last = counter.count
    await asyncio.sleep(0.05)
    assert counter.count == last
    await rounds.stop()


async def test_a_failing_round_is_told_and_repeated_with_pauses_that_no_ring_shortens(
    observer: Observer, observations: list[Observation]
) -> None:
    counter = Counter(60, failures=2)
    rounds = Rounds("part", observer, counter)
    started = asyncio.get_running_loop().time()
    rounds.start()
    while counter.count < 3:
        rounds.ring()
        await asyncio.sleep(0.001)
    assert 0.29 < asyncio.get_running_loop().time() - started < 2
    assert [seen.part for seen in observations if isinstance(seen, HookFailed)] == ["part", "part"]
    await rounds.stop()


async def test_that_postgres_is_away_is_for_others_to_tell(observer: Observer, observations: list[Observation]) -> None:
    counter = Counter(60, failures=2, kind=DatabaseUnavailable)
    rounds = Rounds("part", observer, counter)
    rounds.start()
    await until(lambda: counter.count == 3)
    assert [seen for seen in observations if isinstance(seen, HookFailed)] == []
    await rounds.stop()


async def test_a_stop_ends_a_pause_and_waits_for_a_round_only_so_long(observer: Observer) -> None:
    async def hang() -> float:
        await asyncio.Event().wait()
        return 0

    for round_ in (Counter(60), Counter(60, failures=99), hang):
        rounds = Rounds("part", observer, round_)
        rounds.start()
        await asyncio.sleep(0.01)
        async with asyncio.timeout(30):
            await rounds.stop(patience=0.05)


async def test_tasks_are_waited_for_then_cancelled(observer: Observer, observations: list[Observation]) -> None:
    tasks = Tasks("part", observer)
    ended: list[float] = []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds)
        ended.append(seconds)

    async def fail() -> None:
        raise ZeroDivisionError

    works: list[Callable[[], Awaitable[None]]] = [lambda: sleep(0), lambda: sleep(60), fail]
    for work in works:
        tasks.start(work())
    assert len(tasks) == 3
    await tasks.stop(patience=0.1)
    assert (ended, len(tasks)) == ([0], 0)
    assert [type(seen.failure) for seen in observations if isinstance(seen, HookFailed)] == [ZeroDivisionError]


@pytest.mark.parametrize("rings", [1, 1000])
async def test_rings_between_two_rounds_are_one(observer: Observer, rings: int) -> None:
    counter = Counter(60)
    rounds = Rounds("part", observer, counter)
    rounds.start()
    await until(lambda: counter.count == 1)
    for _ in range(rings):
        rounds.ring()
    await until(lambda: counter.count == 2)
    await asyncio.sleep(0.02)
    assert counter.count == 2
    await rounds.stop()
