"""Loading ahead what is asked for most: at the start, every few minutes, and when somebody asks for it."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import IntEnum
from time import monotonic, perf_counter

import msgspec

from headwater.kernel.bus import Rounds
from headwater.kernel.clock import Clock
from headwater.kernel.errors import DatabaseUnavailable
from headwater.kernel.models import Operation
from headwater.kernel.observe import CacheWarmed, HookFailed, Observer

_PATIENCE = 10.0
_OFTEN = 60.0


class WarmingStage(IntEnum):
    """What is loaded ahead, in the order in which it is."""

    CONTENT = 1
    """What everybody looks at, such as the best scores."""
    SESSIONS = 2
    """Those who are here just now."""
    CONFIGURATION = 3
    LIMITS = 4


class Warming(msgspec.Struct, frozen=True, kw_only=True):
    """Something a component loads ahead: `await operation(transactions)` says how many items that were."""

    name: str
    stage: WarmingStage
    operation: Operation


class BoundWarming(msgspec.Struct, frozen=True, kw_only=True):
    """A warming that can be done."""

    name: str
    stage: WarmingStage
    warm: Callable[[], Awaitable[int]]


class WarmedPart(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one part, in `seconds`; `reason` says why it could not be loaded."""

    name: str
    items: int
    seconds: float
    reason: str | None = None


class Warmed(msgspec.Struct, frozen=True, kw_only=True):
    """What the latest warming loaded, and how long it took."""

    at: datetime
    items: int
    seconds: float
    parts: tuple[WarmedPart, ...]


class Warmer:
    """Loads ahead, part after part in the order of their stages; one that fails hinders none of the others.

    Every `every` seconds, a tenth more or less, so that the processes of a house do not all do it at once.
    """

    def __init__(self, clock: Clock, observer: Observer, every: float) -> None:
        self._clock = clock
        self._observer = observer
        self._every = every
        self._least = min(_OFTEN, every / 2)
        self._parts: list[BoundWarming] = []
        self._turn = asyncio.Lock()
        self._began_at: float | None = None
        self._rounds = Rounds("warming", observer, self._round)
        self.last: Warmed | None = None

    def add(self, part: BoundWarming) -> None:
        """From now on `part` is loaded ahead too."""
        self._parts.append(part)

    async def warm(self) -> Warmed:
        """Load everything ahead, once whoever does it just now is done; never raises for a part that fails."""
        async with self._turn:
            self._began_at = began = monotonic()
            parts = [await self._warm(part) for part in sorted(self._parts, key=lambda part: part.stage)]
            seconds = monotonic() - began
            items = sum(part.items for part in parts)
            self.last = Warmed(at=self._clock.now(), items=items, seconds=seconds, parts=tuple(parts))
        failed = tuple(part.name for part in parts if part.reason is not None)
        self._observer.tell(CacheWarmed(items=items, seconds=seconds, failed=failed))
        return self.last

    def hurry(self) -> bool:
        """Load ahead now, unless that was begun within the last minute; whether it will be."""
        due = self._is_due()
        if due:
            self._rounds.ring()
        return due

    def start(self) -> None:
        """From now on do it every so often."""
        self._rounds.start()

    async def stop(self) -> None:
        """Do it no more."""
        await self._rounds.stop()

    async def _round(self) -> float:
        if self._is_due():
            await self.warm()
        return self._every * random.uniform(0.9, 1.1)  # noqa: S311 - jitter, not a secret

    def _is_due(self) -> bool:
        return self._began_at is None or monotonic() - self._began_at >= self._least

    async def _warm(self, part: BoundWarming) -> WarmedPart:
        began, items, reason = perf_counter(), 0, None
        try:
            async with asyncio.timeout(_PATIENCE):
                items = await part.warm()
        except Exception as failure:  # noqa: BLE001 - whatever a part fails with, the others are loaded
            reason = f"no end within {_PATIENCE:g} s" if isinstance(failure, TimeoutError) else type(failure).__name__
            if not isinstance(failure, DatabaseUnavailable):
                self._observer.tell(HookFailed(part=f"warming {part.name}", failure=failure))
        return WarmedPart(name=part.name, items=items, seconds=perf_counter() - began, reason=reason)
