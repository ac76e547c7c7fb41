"""The only place that knows what time it is."""

import asyncio
import heapq
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the house asks for the time."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...

    def timestamp(self) -> float:
        """The present moment in seconds since 1970-01-01 UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return once this clock has moved on by `seconds`."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)

    def timestamp(self) -> float:
        """The present moment in seconds since 1970-01-01 UTC."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of real time."""
        await asyncio.sleep(seconds)


class DrivenClock:
    """A clock that stands still until a test moves it; sleepers wake in the order of their times."""

    def __init__(self, start: datetime = datetime(2030, 1, 1, tzinfo=UTC)) -> None:
        self._now = start
        self._sleepers: list[tuple[datetime, int, asyncio.Event]] = []
        self._count = 0

    def now(self) -> datetime:
        """The moment this clock was last moved to, in UTC."""
        return self._now

    def timestamp(self) -> float:
        """The moment this clock was last moved to, in seconds since 1970-01-01 UTC."""
        return self._now.timestamp()

    async def sleep(self, seconds: float) -> None:
        """Return once `advance` has moved this clock on by `seconds`; at once for none."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.Event()
        self._count += 1
        heapq.heappush(self._sleepers, (self._now + timedelta(seconds=seconds), self._count, woken))
        await woken.wait()

    def advance(self, seconds: float) -> None:
        """Move the time on by `seconds` and wake everyone whose time has come."""
        self._now += timedelta(seconds=seconds)
        while self._sleepers and self._sleepers[0][0] <= self._now:
            heapq.heappop(self._sleepers)[2].set()
