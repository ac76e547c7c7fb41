"""Limits that several processes count against together, in a real Redis."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater.kernel.ids import new_id
from headwater.kernel.limits import Allowance, Limit, MemoryLimiter, RedisLimiter
from headwater.kernel.observe import Observer
from headwater.kernel.redis import Redis
from tests.kernel.waiting import until
from tests.kit.redis import RedisServer, eventually

pytestmark = pytest.mark.needs("redis-server")
START = 1e8


class Time:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


def limiter_over(redis: Redis, now: Time | None = None) -> RedisLimiter:
    return RedisLimiter(redis, MemoryLimiter(now or Time()), now)


async def take(limiter: RedisLimiter, limit: Limit, who: str = "me") -> Allowance:
    taken = limiter.take_all([limit], who)
    return (taken if isinstance(taken, list) else await taken)[0]


@pytest.fixture
async def redis(redis_server: RedisServer, redis_prefix: str, observer: Observer) -> AsyncIterator[Redis]:
    """A client with a prefix of its own."""
    client = redis_server.open(observer, prefix=redis_prefix)
    await client.start()
    yield client
    await client.stop()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    count=st.integers(1, 50),
    seconds=st.sampled_from([1, 4, 60, 900, 0.7]),
    quarters=st.lists(st.one_of(st.just(0), st.integers(0, 40)), max_size=60),
)
def test_it_decides_as_the_one_in_memory(
    redis_server: RedisServer, count: int, seconds: float, quarters: Sequence[int]
) -> None:
    async def run() -> None:
        redis = redis_server.open(Observer(), prefix=f"t{new_id().hex}")
        await redis.start()
        clock, limit = Time(), Limit(name="x", count=count, seconds=seconds)
        shared, memory = limiter_over(redis, clock), MemoryLimiter(clock)
        for quarter in quarters:
            clock.now += quarter / 4
            told, expected = await take(shared, limit), memory.take(limit, "me")
            assert (told.allowed, told.remaining, told.limit) == (expected.allowed, expected.remaining, count)
            assert abs(told.reset - expected.reset) <= 1 and abs(told.retry_after - expected.retry_after) <= 1
        await redis.stop()

    asyncio.run(run())


@pytest.mark.parametrize(("count", "seconds"), [(6000, 60), (7, 60), (1000, 0.7), (1, 900)])
async def test_exactly_so_many_at_once(redis: Redis, count: int, seconds: float) -> None:
    limiter, limit = limiter_over(redis, Time()), Limit(name="x", count=count, seconds=seconds)
    told = await asyncio.gather(*(take(limiter, limit) for _ in range(count + 5)))
    assert [each.remaining for each in told] == [*range(count - 1, -1, -1), *[0] * 5]
    assert sum(each.allowed for each in told) == count


async def test_processes_share_a_limit_by_redis_own_clock(redis_server: RedisServer, redis_prefix: str) -> None:
    processes = [redis_server.open(Observer(), prefix=redis_prefix) for _ in range(4)]
    limit = Limit(name="x", count=40, seconds=3600)
    limiters: list[RedisLimiter] = []
    for process in processes:
        await process.start()
        limiters.append(limiter_over(process))
    told = await asyncio.gather(*(take(limiters[number % 4], limit) for number in range(200)))
    assert sum(each.allowed for each in told) == 40
    assert {each.retry_after for each in told if not each.allowed} <= {89, 90}
    other = await take(limiters[0], limit, "you")
    assert (other.allowed, other.remaining) == (True, 39)
    for process in processes:
        await process.stop()


async def test_limits_are_counted_in_order_up_to_the_first_that_refuses(redis: Redis) -> None:
    clock = Time()
    shared, memory = limiter_over(redis, clock), MemoryLimiter(clock)
    limits = (
        Limit(name="wide", count=5, seconds=60),
        Limit(name="narrow", count=2, seconds=60),
        Limit(name="last", count=9, seconds=60),
    )
    for _ in range(6):
        taken = shared.take_all(limits, "me")
        assert not isinstance(taken, list)
        assert await taken == memory.take_all(limits, "me")
    assert [each.allowed for each in memory.take_all(limits, "me")] == [False]
    assert (await take(shared, limits[2])).remaining == 6


async def test_who_asks_often_is_counted_ahead_and_gets_no_more_for_it(
    redis_server: RedisServer, redis_prefix: str
) -> None:
    limit, clock = Limit(name="x", count=2000, seconds=3600), Time()
    processes = [redis_server.open(Observer(), prefix=redis_prefix) for _ in range(2)]
    for process in processes:
        await process.start()
    limiters = [limiter_over(process, clock) for process in processes]
    told: list[Allowance] = []
    at_once = 0
    for number in range(2200):
        taken = limiters[number % 2].take_all((limit,), "me")
        at_once += isinstance(taken, list)
        told.append((taken if isinstance(taken, list) else await taken)[0])
    allowed = sum(each.allowed for each in told)
    assert 2000 - 2 * 20 <= allowed <= 2000, "a hundredth, at most, is lost in each process"
    assert at_once > 1800
    for process in processes:
        await process.stop()


async def test_what_was_counted_ahead_and_not_used_is_lost(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    limit, seconds = Limit(name="x", count=1000, seconds=3600), [0.0]
    monkeypatch.setattr("headwater.kernel.limits.shared.monotonic", lambda: seconds[0])
    limiter = limiter_over(redis, Time())
    assert [(await take(limiter, limit)).remaining for _ in range(4)] == [999, 998, 997, 996]
    seconds[0] = 1
    assert (await take(limiter, limit)).remaining == 992, "three that were taken ahead were not used in time"


async def test_what_is_full_again_is_forgotten(redis: Redis, redis_server: RedisServer) -> None:
    limit = Limit(name="x", count=2, seconds=0.3)
    assert (await take(limiter_over(redis), limit)).allowed
    name = redis.key("limit", "{me}", "x")
    with redis_server.client() as client:
        assert cast("int", client.pttl(name)) in range(1, 152)
        await until(lambda: not client.exists(name))


async def test_while_redis_is_away_each_process_counts_for_itself(own_redis: RedisServer, observer: Observer) -> None:
    redis = own_redis.open(observer)
    await redis.start()
    limiter, limit = limiter_over(redis), Limit(name="x", count=3, seconds=3600)
    assert [(await take(limiter, limit)).remaining for _ in range(2)] == [2, 1]
    own_redis.kill()
    told = [await take(limiter, limit) for _ in range(4)]
    assert [each.remaining for each in told] == [2, 1, 0, 0]
    assert isinstance(limiter.take_all([limit], "me"), list), "nobody waits for what is away"
    own_redis.start()
    await eventually(redis, available=True)
    assert [(await take(limiter, limit)).allowed for _ in range(4)] == [True, True, True, False]
    await redis.stop()


async def test_nobody_asks_redis_for_no_limits(redis: Redis) -> None:
    assert limiter_over(redis).take_all((), "me") == []
