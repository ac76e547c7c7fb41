"""The generic cell rate algorithm, against a slow one that keeps every request."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.kernel.limits import Limit, MemoryLimiter


class Bucket:
    """The reference: a full bucket of `count` that drips one back each `seconds / count`, in exact figures."""

    def __init__(self, count: int, seconds: int) -> None:
        self.count, self.rate = count, Fraction(count, seconds)
        self.level, self.at = Fraction(count), Fraction(0)

    def take(self, now: Fraction) -> tuple[bool, int, int, int]:
        self.level = min(Fraction(self.count), self.level + (now - self.at) * self.rate)
        self.at = now
        allowed = self.level >= 1
        if allowed:
            self.level -= 1
        reset = ceil((self.count - self.level) / self.rate)
        retry = 0 if allowed else max(1, ceil((1 - self.level) / self.rate))
        return allowed, int(self.level), reset, retry


class Time:
    def __init__(self, start: float = 0.0) -> None:
        self.now = start

    def __call__(self) -> float:
        return self.now


@given(
    count=st.integers(1, 50),
    seconds=st.sampled_from([1, 4, 60, 900]),
    quarters=st.lists(st.one_of(st.just(0), st.integers(0, 40)), max_size=200),
    start=st.sampled_from([0.0, 1000.5, 1.9e9]),
)
def test_it_decides_as_the_slow_one(count: int, seconds: int, quarters: list[int], start: float) -> None:
    limit = Limit(name="x", count=count, seconds=seconds)
    clock, bucket = Time(start), Bucket(count, seconds)
    limiter = MemoryLimiter(clock)
    passed = 0
    for quarter in quarters:
        passed += quarter
        clock.now = start + passed / 4
        allowed, remaining, reset, retry = bucket.take(Fraction(passed, 4))
        told = limiter.take(limit, "me")
        assert (told.allowed, told.remaining, told.limit) == (allowed, remaining, count)
        assert 0 <= told.reset - reset <= 1 and 0 <= told.retry_after - retry <= 1  # a float may round a second up


@pytest.mark.parametrize(("count", "seconds"), [(6000, 60), (7, 60), (1_000, 0.7), (1, 900), (100_000, 60)])
@pytest.mark.parametrize("start", [0.0, 1.9e9])
def test_exactly_so_many_at_once_wherever_the_clock_stands(count: int, seconds: float, start: float) -> None:
    limiter = MemoryLimiter(Time(start))
    limit = Limit(name="x", count=count, seconds=seconds)
    assert [limiter.take(limit, "me").remaining for _ in range(count)] == list(range(count - 1, -1, -1))
    assert not limiter.take(limit, "me").allowed


def test_who_waits_as_told_is_let_in() -> None:
    clock = Time()
    limiter, limit = MemoryLimiter(clock), Limit(name="x", count=3, seconds=10)
    told = limiter.take(limit, "me")
    for _ in range(20):
        told = limiter.take(limit, "me")
        while not told.allowed:
            clock.now += told.retry_after
            told = limiter.take(limit, "me")
            assert told.allowed
    clock.now += told.reset
    assert limiter.take(limit, "me").remaining == 2


def test_a_refused_request_is_not_counted() -> None:
    clock = Time()
    limiter, limit = MemoryLimiter(clock), Limit(name="x", count=1, seconds=10)
    assert limiter.take(limit, "me").allowed
    assert [limiter.take(limit, "me").retry_after for _ in range(100)] == [10] * 100
    clock.now = 10
    assert limiter.take(limit, "me").allowed


def test_names_and_callers_are_counted_apart() -> None:
    limiter = MemoryLimiter(Time())
    for name in ("a", "b"):
        for who in ("me", "you"):
            assert limiter.take(Limit(name=name, count=1, seconds=10), who).allowed


def test_memory_is_bounded_and_the_idlest_goes_first() -> None:
    limiter = MemoryLimiter(Time(), capacity=10)
    limit = Limit(name="x", count=1, seconds=1000)
    assert limiter.take(limit, "busy").allowed
    for n in range(1000):
        assert not limiter.take(limit, "busy").allowed  # refused, and yet not idle
        assert limiter.take(limit, str(n)).allowed
    assert len(limiter._full_at) == 10  # pyright: ignore[reportPrivateUsage]
    assert limiter.take(limit, "0").allowed


def test_a_clock_set_back_costs_at_most_one_period() -> None:
    clock = Time(1_000_000)
    limiter, limit = MemoryLimiter(clock), Limit(name="x", count=2, seconds=10)
    for _ in range(3):
        limiter.take(limit, "me")
    clock.now -= 500_000
    assert limiter.take(limit, "me").retry_after <= 10
    clock.now += 10
    assert limiter.take(limit, "me").allowed
