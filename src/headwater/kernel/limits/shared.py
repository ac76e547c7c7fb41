"""Limits that every process of the house counts against together."""

from collections.abc import Awaitable, Callable, Sequence

from headwater.kernel.limits.gcra import Allowance, Limit, MemoryLimiter
from headwater.kernel.limits.scripts import TAKE
from headwater.kernel.redis import Redis, RedisUnavailable, ResponseError


class RedisLimiter:
    """Counts in Redis, by its clock unless one is given; while it is away, each process counts for itself.

    `memory` is what counts then. Counters begin anew at such a change, so for a moment more may pass than once did.
    """

    def __init__(self, redis: Redis, memory: MemoryLimiter, now: Callable[[], float] | None = None) -> None:
        self._redis = redis
        self._memory = memory
        self._now = now
        self._script = redis.script(TAKE)

    def take_all(self, limits: Sequence[Limit], who: str) -> list[Allowance] | Awaitable[list[Allowance]]:
        """Count one request of `who` against every limit; see `Limiter.take_all`."""
        if not limits or not self._redis.available:
            return self._memory.take_all(limits, who)
        return self._take_all(limits, who)

    async def _take_all(self, limits: Sequence[Limit], who: str) -> list[Allowance]:
        keys = [self._redis.key("limit", f"{{{who}}}", limit.name) for limit in limits]
        time = "" if self._now is None else repr(self._now() * 1e6)
        stated = [figure for limit in limits for figure in (limit.count, repr(float(limit.seconds)))]
        try:
            rows: list[list[int]] = await self._script.run(keys, time, *stated)
        except (RedisUnavailable, ResponseError):
            return self._memory.take_all(limits, who)
        return [
            Allowance(allowed == 1, limit.count, remaining, reset, retry_after)
            for limit, (allowed, remaining, reset, retry_after) in zip(limits, rows, strict=False)
        ]
