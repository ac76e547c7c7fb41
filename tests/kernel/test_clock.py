"""The only place that knows what time it is, and one that a test moves."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import msgspec

from headwater.kernel.clock import DrivenClock, SystemClock, encode


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


class Noted(msgspec.Struct, rename="camel", omit_defaults=True):
    noted_at: datetime
    note: msgspec.Raw
    by: UUID | None = None
    parts: tuple["Noted", ...] = ()
    by_name: dict[str, datetime] | None = None


def test_times_are_written_with_milliseconds_and_texts_stay_as_they_are() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
    note = b'{"said":"2026-01-02T03:04:05.678901Z"}'
    inner = Noted(noted_at=at.astimezone(timezone(timedelta(hours=2))), note=msgspec.Raw(note))
    written = encode(
        Noted(noted_at=at.replace(microsecond=0), note=msgspec.Raw(note), parts=(inner,), by_name={"x": at})
    )
    assert written == (
        b'{"notedAt":"2026-01-02T03:04:05.000Z","note":%b,'
        b'"parts":[{"notedAt":"2026-01-02T03:04:05.678Z","note":%b}],"byName":{"x":"2026-01-02T03:04:05.678Z"}}'
    ) % (note, note)
    assert encode({"when": "2026-01-02T03:04:05.678901Z", 1: [at.replace(tzinfo=None)]}) == (
        b'{"when":"2026-01-02T03:04:05.678901Z","1":["2026-01-02T03:04:05.678Z"]}'
    )
    assert encode({"nothing": [1, "2", None]}) == b'{"nothing":[1,"2",null]}'
