"""The only place that knows what time it is, and how times are written."""

import asyncio
import heapq
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol, cast

import msgspec

_encode = msgspec.json.Encoder().encode
_TIME = re.compile(rb'"\d{4}-\d\d-\d\dT')
_TO_MILLISECONDS = len("2026-11-21T02:30:00.000")
_AS_THEY_ARE = (datetime, msgspec.Raw)


def moment(at: datetime) -> str:
    """A time as the wire has it: ISO 8601 in UTC, with milliseconds and `Z`; one without a zone is UTC's."""
    if at.tzinfo is not None and at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return at.isoformat(timespec="milliseconds")[:_TO_MILLISECONDS] + "Z"


def encode(value: object) -> bytes:
    """JSON with every time as `moment` writes it; msgspec alone writes as many digits as there are.

    Only what holds something that looks like a time is gone through; texts that do stay as they are.
    """
    encoded = _encode(value)
    if _TIME.search(encoded) is None:
        return encoded
    return _encode(_timed(msgspec.to_builtins(value, builtin_types=_AS_THEY_ARE, str_keys=True)))


def _timed(value: object) -> object:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, dict):
        return {key: _timed(each) for key, each in cast("Mapping[str, object]", value).items()}
    if isinstance(value, list | tuple):
        return [_timed(each) for each in cast("list[object]", value)]
    return value


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
