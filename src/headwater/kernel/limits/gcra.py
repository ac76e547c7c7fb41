"""The generic cell rate algorithm (ITU-T I.371): what a limit is, and how one process counts."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from math import ceil
from typing import Literal, Protocol

import msgspec

_ROUNDING = 1e-3
"""Of an interval: what adding up floats may cost or give away."""


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """`count` requests per `seconds`, all at once or spread; counted per address or per principal."""

    name: str
    count: int
    seconds: float
    by: Literal["address", "principal"] = "address"


class Allowance(msgspec.Struct, frozen=True):
    """The answer of a limiter; `reset` and `retry_after` are whole seconds, `retry_after` 0 when allowed."""

    allowed: bool
    limit: int
    remaining: int
    reset: int
    retry_after: int


class Limiter(Protocol):
    """Counts requests against limits."""

    def take_all(self, limits: Sequence[Limit], who: str) -> list[Allowance] | Awaitable[list[Allowance]]:
        """Count one request of `who` against each of `limits`, in order, up to the first that refuses it.

        The answers of those that were asked; whoever knows at once says so without making anybody wait.
        """
        ...


class MemoryLimiter:
    """Limits of this process alone.

    Holds at most `capacity` counters; beyond it the one touched longest ago is forgotten, so a flood of addresses
    costs bounded memory and frees only the idlest. `now` counts seconds; if it is set back, nobody waits longer
    than the limit's own `seconds`.
    """

    def __init__(self, now: Callable[[], float], capacity: int = 100_000) -> None:
        self._now = now
        self._began = now()  # small figures keep floats exact
        self._capacity = capacity
        self._crowded = capacity // 2  # below it nobody will be forgotten soon, and order is not worth its time
        self._full_at: OrderedDict[tuple[str, str], float] = OrderedDict()

    def take_all(self, limits: Sequence[Limit], who: str) -> list[Allowance]:
        """Count one request of `who` against every limit; see `Limiter.take_all`."""
        taken: list[Allowance] = []
        for limit in limits:
            allowance = self.take(limit, who)
            taken.append(allowance)
            if not allowance.allowed:
                break
        return taken

    def take(self, limit: Limit, who: str) -> Allowance:
        """Count one request of `who` against `limit`; a refused request is not counted."""
        now = self._now() - self._began
        key = (limit.name, who)
        interval = limit.seconds / limit.count
        arrival = self._full_at.get(key, now)
        if arrival < now:
            arrival = now
        elif arrival > now + limit.seconds:
            arrival = now + limit.seconds
        excess = arrival + interval - now - limit.seconds
        if excess > _ROUNDING * interval:
            self._full_at[key] = arrival
            self._full_at.move_to_end(key)
            return Allowance(
                allowed=False,
                limit=limit.count,
                remaining=0,
                reset=ceil(arrival - now),
                retry_after=max(1, ceil(excess)),
            )
        arrival += interval
        self._full_at[key] = arrival
        if len(self._full_at) > self._crowded:
            self._full_at.move_to_end(key)
            if len(self._full_at) > self._capacity:
                self._full_at.popitem(last=False)
        remaining = int((limit.seconds - (arrival - now)) / interval + _ROUNDING)
        return Allowance(True, limit.count, remaining, ceil(arrival - now), 0)  # noqa: FBT003 - keywords cost as much as the rest
