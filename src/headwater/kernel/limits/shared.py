"""Limits that every process of the house counts against together."""

from collections.abc import Awaitable, Callable, Sequence
from time import monotonic

from headwater.kernel.limits.gcra import Allowance, Limit, MemoryLimiter
from headwater.kernel.limits.scripts import TAKE
from headwater.kernel.redis import Redis, RedisUnavailable, ResponseError

_SHARE = 100
"""A hundredth of a limit, at most, is taken ahead of its use."""
_MOST_AHEAD = 512
_GOOD_FOR = 0.25
"""Seconds after which what was taken ahead and not used is lost."""
_MOST_KNOWN = 10_000


class _Supply:
    """What one caller has left of what was counted for him ahead; `size` is how much he took the last time."""

    __slots__ = ("asking", "left", "size", "told", "until")

    def __init__(self) -> None:
        self.asking = False
        self.left = 0
        self.size = 1
        self.told: list[Allowance] = []
        self.until = 0.0

    def take(self) -> list[Allowance]:
        """One of them."""
        self.left -= 1
        left = self.left
        return [Allowance(True, each.limit, each.remaining + left, each.reset, 0) for each in self.told]  # noqa: FBT003


class RedisLimiter:
    """Counts in Redis, by its clock unless one is given; while it is away, each process counts for itself.

    Whoever asks again and again is counted ahead, twice as far each time, up to a hundredth of the limit: then most of
    his requests need not ask Redis. What he does not use within a quarter of a second is lost to him, so nobody ever
    gets more than a limit allows, and limits below two hundred are counted one by one.

    `memory` is what counts while Redis is away. Counters begin anew at such a change, so for a moment more may pass
    than once did.
    """

    def __init__(self, redis: Redis, memory: MemoryLimiter, now: Callable[[], float] | None = None) -> None:
        self._redis = redis
        self._memory = memory
        self._now = now
        self._script = redis.script(TAKE)
        self._supplies: dict[tuple[tuple[Limit, ...], str], _Supply] = {}

    async def prepare(self) -> int:
        """Let Redis know ahead what a limit is worked out with; how many scripts. Raises `RedisUnavailable`."""
        await self._redis.load_script(TAKE)
        return 1

    def take_all(self, limits: Sequence[Limit], who: str) -> list[Allowance] | Awaitable[list[Allowance]]:
        """Count one request of `who` against every limit; see `Limiter.take_all`."""
        if not limits or not self._redis.available:
            return self._memory.take_all(limits, who)
        key = (tuple(limits), who)
        supply = self._supplies.get(key)
        if supply is None:
            most = min(limit.count for limit in limits) // _SHARE
            if most < 2:
                return self._take_one(key)
            if len(self._supplies) >= _MOST_KNOWN:
                self._supplies.clear()
            supply = self._supplies[key] = _Supply()
        elif supply.left > 0 and monotonic() < supply.until:
            return supply.take()
        return self._take_one(key) if supply.asking else self._take_ahead(key, supply)

    async def _take_one(self, key: tuple[tuple[Limit, ...], str]) -> list[Allowance]:
        return (await self._take(key, 1))[1]

    async def _take_ahead(self, key: tuple[tuple[Limit, ...], str], supply: _Supply) -> list[Allowance]:
        """Take more than one, if the last supply was soon used up."""
        limits, _ = key
        most = min(min(limit.count for limit in limits) // _SHARE, _MOST_AHEAD)
        wanted = min(supply.size * 2, most) if supply.left <= 0 and monotonic() < supply.until else 1
        supply.asking, supply.left = True, 0
        try:
            taken, told = await self._take(key, wanted)
        finally:
            supply.asking = False
        supply.size, supply.told, supply.until = taken, told, monotonic() + _GOOD_FOR
        if taken == 1:
            return told
        supply.left = taken
        return supply.take()

    async def _take(self, key: tuple[tuple[Limit, ...], str], wanted: int) -> tuple[int, list[Allowance]]:
        """Count so many, or one; how many it were, and the answers to the last of them."""
        limits, who = key
        keys = [self._redis.key("limit", f"{{{who}}}", limit.name) for limit in limits]
        time = "" if self._now is None else repr(self._now() * 1e6)
        stated = [figure for limit in limits for figure in (limit.count, repr(float(limit.seconds)))]
        try:
            taken, *rows = await self._script.run(keys, time, wanted, *stated)
        except (RedisUnavailable, ResponseError):
            return 1, self._memory.take_all(limits, who)
        return taken, [
            Allowance(allowed == 1, limit.count, remaining, reset, retry_after)
            for limit, (allowed, remaining, reset, retry_after) in zip(limits, rows, strict=False)
        ]
