"""What all processes remember together, in Redis: values, and leases of those who are loading one."""

import struct
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing, suppress
from time import monotonic
from typing import NamedTuple

from headwater.kernel.cache import scripts
from headwater.kernel.cache.models import RedisFigures
from headwater.kernel.ids import new_id
from headwater.kernel.redis import Redis, RedisUnavailable, ResponseError

_VALUE, _NOTHING, _LEASE = b"v", b"n", b"l"
_UNTIL = struct.Struct("<d")
_HEAD = 1 + _UNTIL.size
_MOST_OWED = 100_000
_AT_ONCE = 256
_MOST_LOOKS = 100


class Found(NamedTuple):
    """What is remembered under a key: a value encoded, or None for that nothing is there; until when it holds."""

    encoded: bytes | None
    until: float
    told: bytes = b""
    """As it came from Redis."""


class Lease(NamedTuple):
    """The right to fill a key, which ends when the key is forgotten: the version that a loader loads under."""

    name: str
    token: bytes
    renews: bool = False
    """Whether a value lies there that still answers: the right is then that value, unchanged."""


class Shared:
    """The second level of the cache.

    A key holds a value or the lease of who is loading it, never both; forgetting removes either, so that a loader
    that began before cannot bring back what was forgotten. What could not be forgotten because Redis was away is
    owed: nothing is read from Redis before it is paid. A Redis that was restarted, or replaced by its replica, begins
    empty, because it may have come back with what was forgotten since its last snapshot.
    """

    def __init__(self, redis: Redis, lease_seconds: float) -> None:
        self._redis = redis
        self._lease_milliseconds = max(1, int(lease_seconds * 1000))
        self._fill = redis.script(scripts.FILL)
        self._release = redis.script(scripts.RELEASE)
        self._take = redis.script(scripts.TAKE)
        self._owed: dict[str, None] = {}
        self._owed_prefixes: dict[str, None] = {}
        self._longest_ttl = 0.0
        self._avoided_until = 0.0
        redis.on_return(self._pay)

    @property
    def usable(self) -> bool:
        """Whether Redis is there and nothing is owed."""
        owes = self._owed or self._owed_prefixes
        return self._redis.available and not owes and monotonic() >= self._avoided_until

    @property
    def incarnation(self) -> str:
        """Which Redis this is; empty while it is away."""
        return self._redis.incarnation if self._redis.available else ""

    async def read(self, key: str) -> Found | Lease | None:
        """What is under `key`: a value, somebody's lease, or nothing. Raises `RedisUnavailable`."""
        incarnation, name = self._named(key)
        told = await self._redis.fetch(name)
        if told is None or self._redis.incarnation != incarnation:
            return None
        if told[:1] == _LEASE:
            return Lease(name, told)
        until = _UNTIL.unpack_from(told, 1)[0]
        return Found(told[_HEAD:] if told[:1] == _VALUE else None, until, told)

    async def lease(self, key: str, instead_of: Found | None) -> Lease | None:
        """The right to fill `key`, where nothing is or what holds no more; None where another was faster.

        Raises as `Redis.call`.
        """
        lease = Lease(self._named(key)[1], _LEASE + new_id().bytes)
        if instead_of is None:
            taken = await self._redis.call("SET", lease.name, lease.token, "NX", "PX", self._lease_milliseconds)
        else:
            taken = await self._take.run([lease.name], instead_of.told, lease.token, self._lease_milliseconds)
        return lease if taken else None

    async def renewal(self, key: str) -> Lease | None:
        """The right to put a newer value in place of the one that is there, or the lease of an empty place.

        None where another is loading it. Raises as `Redis.call`.
        """
        there = await self.read(key)
        if isinstance(there, Found):
            return Lease(self._named(key)[1], there.told, renews=True)
        return None if there is not None else await self.lease(key, None)

    async def fill(self, lease: Lease, found: Found, ttl: float) -> bool:
        """Put what was loaded under the lease; whether it still held. Raises as `Redis.call`."""
        return bool(await self._fill.run([lease.name], lease.token, _packed(found), self._milliseconds(ttl)))

    async def release(self, lease: Lease) -> None:
        """Let another load it. Raises as `Redis.call`."""
        await self._release.run([lease.name], lease.token)

    async def write(self, key: str, found: Found, ttl: float) -> bool:
        """Put a value, whatever was there, so that nobody's lease on it holds any more; whether that could be done.

        Where it cannot be put the old one is removed, or its removal is owed.
        """
        if self.usable:
            with suppress(RedisUnavailable, ResponseError):  # the latter of a Redis that is full
                await self._redis.call("SET", self._named(key)[1], _packed(found), "PX", self._milliseconds(ttl))
                return True
        return await self.remove([key])

    async def remove(self, keys: Sequence[str]) -> bool:
        """Remove values and leases; whether that could be done now. If not it is owed."""
        while True:
            incarnation = self._redis.incarnation
            try:
                for start in range(0, len(keys), _AT_ONCE):
                    for waiting in [self._redis.call("DEL", self._named(key)[1]) for key in keys[start:][:_AT_ONCE]]:
                        await waiting
            except RedisUnavailable:
                self._owe(keys)
                return False
            if self._redis.incarnation == incarnation:
                return True

    async def remove_all(self, prefixes: Sequence[str]) -> set[str] | None:
        """Remove every value and lease whose key begins so; the keys there were. None if that is owed now."""
        while True:
            incarnation, gone = self._redis.incarnation, set[str]()
            head = len(self._named("")[1])
            try:
                for prefix in prefixes:
                    async for names in self._redis.scan(self._named(prefix)[1] + "*"):
                        for name, waiting in [(name, self._redis.call("DEL", name)) for name in names]:
                            if await waiting:
                                gone.add(name[head:])
            except RedisUnavailable:
                self._owed_prefixes.update(dict.fromkeys(prefixes))
                return None
            if self._redis.incarnation == incarnation:
                return gone

    async def describe(self) -> RedisFigures:
        """What lies in Redis, counted now; looks at a hundred thousand keys or so and no further."""
        if not self._redis.available:
            return RedisFigures(status="away")
        keys: Counter[str] = Counter()
        looked, head = 0, len(self._named("")[1])
        try:
            used, most = await self._redis.memory()
            async with aclosing(self._redis.scan(self._named("*")[1])) as scanning:
                async for names in scanning:
                    keys.update(name[head:].partition(":")[0] for name in names)
                    looked += 1
                    if looked >= _MOST_LOOKS:
                        break
        except RedisUnavailable:
            return RedisFigures(status="away")
        except ResponseError:  # it lets us neither look nor know
            return RedisFigures(status="connected")
        complete = looked < _MOST_LOOKS
        return RedisFigures(status="connected", bytes=used, most_bytes=most, keys=dict(keys), complete=complete)

    def _owe(self, keys: Sequence[str]) -> None:
        self._owed.update(dict.fromkeys(keys))
        if len(self._owed) > _MOST_OWED:  # by then everything that lies there has come to its end by itself
            self._avoided_until = monotonic() + self._longest_ttl
            self._owed.clear()

    async def _pay(self) -> None:
        while self._owed:
            keys = list(self._owed)
            if not await self.remove(keys):
                return
            for key in keys:
                self._owed.pop(key, None)
        while self._owed_prefixes:
            prefixes = list(self._owed_prefixes)
            if await self.remove_all(prefixes) is None:
                return
            for prefix in prefixes:
                self._owed_prefixes.pop(prefix, None)

    def _named(self, key: str) -> tuple[str, str]:
        incarnation = self._redis.incarnation
        return incarnation, self._redis.key("cache", incarnation, key)

    def _milliseconds(self, ttl: float) -> int:
        self._longest_ttl = max(self._longest_ttl, ttl)
        return max(1, int(ttl * 1000))


def _packed(found: Found) -> bytes:
    encoded = found.encoded
    return (_NOTHING if encoded is None else _VALUE) + _UNTIL.pack(found.until) + (encoded or b"")
