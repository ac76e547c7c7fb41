"""The cache: memory first, then Redis, then one loader for each key."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from headwater.kernel.bus import Bus, Nodes
from headwater.kernel.cache.family import AnyFamily, CacheFamily
from headwater.kernel.cache.memory import Entry, Memory
from headwater.kernel.cache.models import MISSING, CacheSettings, Missing
from headwater.kernel.cache.shared import Found, Lease, Shared
from headwater.kernel.cache.telling import Telling
from headwater.kernel.clock import Clock
from headwater.kernel.models import CacheKey
from headwater.kernel.observe import CacheCounts
from headwater.kernel.redis import Redis, RedisUnavailable, ResponseError

T = TypeVar("T")
Load = Callable[[], Awaitable[T | None]]
_FIRST_LOOK = 0.002
_LONGEST_LOOK = 0.05


class _Flight:
    """A lookup or a put under way, which lookups of this process join; `stale` once its key was forgotten."""

    __slots__ = ("stale", "task")

    def __init__(self) -> None:
        self.stale = False
        self.task: asyncio.Task[Any] | None = None


class _Known(NamedTuple, Generic[T]):
    """A value that Redis has, as it is and as it lies there."""

    value: T | None
    found: Found


class Cache:
    """Values that were worked out once, by family and name.

    Whoever looks after a `forget` of his key has returned, on whatever node, finds nothing that was loaded before it:
    every live node has confirmed by then, and one that could not trusts its memory no longer (`Nodes.cut_off`).
    Without Redis, or while it is away, each process loads for itself. Held values are shared: nobody changes one.
    """

    def __init__(self, redis: Redis | None, bus: Bus, nodes: Nodes, clock: Clock, settings: CacheSettings) -> None:
        self._shared = None if redis is None else Shared(redis, settings.lease_seconds)
        self._nodes = nodes
        self._timestamp = clock.timestamp
        self._wait = settings.wait_seconds
        self._memory = Memory(settings.memory_bytes)
        self._flights: dict[str, _Flight] = {}
        self._forgets = 0
        self._running: set[asyncio.Task[Any]] = set()
        self._counts: dict[str, CacheCounts] = {}
        self._telling = Telling(nodes, self._hear)
        nodes.on_return(self.distrust)
        bus.on_gap(self.distrust)

    @property
    def counts(self) -> Iterable[CacheCounts]:
        """What became of the lookups, by family."""
        return tuple(self._counts.values())

    @property
    def weight(self) -> int:
        """About how many bytes of memory this process holds."""
        return self._memory.weight

    def peek(self, family: CacheFamily[T], name: str) -> T | Missing | None:
        """What this process itself remembers, at once: None where it remembers that nothing is there."""
        key = family.key(name)
        entry = self._memory.find(key)
        if entry is None or self._nodes.cut_off:
            return MISSING
        if not entry.since <= self._timestamp() < entry.until:
            self._memory.drop(key)
            return MISSING
        self._memory.touch(key)
        entry.counts.memory_hits += 1
        return entry.value

    async def through(self, family: CacheFamily[T], name: str, load: Load[T]) -> T | None:
        """What is called `name`: remembered here, or in Redis, or else what `load` returns; None where nothing is.

        All processes together load once, bounded by the settings. A load runs to its end whoever goes away, and what
        it raises reaches everybody who waits in this process, and is not remembered.
        """
        found = self.peek(family, name)
        if found is not MISSING:
            return found
        key = family.key(name)
        if key not in self._flights and self._shared is not None and self._shared.usable:
            forgets, known = self._forgets, await self._glance(self._shared, key)
            found = self._opened(family, known)
            if found is not MISSING and known is not None:
                self._count(family).shared_hits += 1
                if self._forgets == forgets:
                    self._remember(family, key, found, known)
                return found
        flight = self._flights.get(key)
        if flight is None or flight.task is None or self._nodes.cut_off:
            flight = _Flight()
            task = self._board(flight, key, self._look(flight, family, key, load))
        else:
            task = flight.task
            self._count(family).joined += 1
        return await asyncio.shield(task)

    async def put(self, family: CacheFamily[T], name: str, value: T | None) -> None:
        """Remember what is true now, instead of whatever was remembered anywhere; return once every node knows.

        Call it after the commit that made it true, and only where nothing else can have changed it since.
        """
        key = family.key(name)
        if value is None and family.negative_ttl is None:
            await self.forget([key])
            return
        self._drop(key)
        flight = _Flight()
        await asyncio.shield(self._board(flight, key, self._replace(flight, family, key, value)))

    async def forget(self, keys: Sequence[CacheKey]) -> None:
        """Return once nobody finds an old value under these keys, on any node. Raises as `Nodes.tell_all`."""
        self._drop(*keys)
        incarnation = ""
        try:
            if self._shared is not None:
                present = self._shared.incarnation
                incarnation = present if await self._shared.remove(keys) else ""
        finally:
            self._drop(*keys)  # what was read from Redis before it was removed there
            await self._telling.tell(keys, incarnation)

    def distrust(self) -> None:
        """Forget everything this process remembers itself, and keep nothing of what it is looking up."""
        self._forgets += 1
        self._memory.clear()
        for flight in self._flights.values():
            flight.stale = True
        self._flights.clear()

    async def stop(self) -> None:
        """End the lookups that run."""
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _board(self, flight: _Flight, key: str, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = flight.task = asyncio.create_task(work)
        self._flights[key] = flight
        self._running.add(task)
        task.add_done_callback(partial(self._land, key, flight))
        return task

    def _land(self, key: str, flight: _Flight, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not task.cancelled():
            task.exception()  # whoever waited has it; that nobody did any longer is no news

    async def _glance(self, shared: Shared, key: str) -> Found | None:
        try:
            known = await shared.read(key)
        except (RedisUnavailable, ResponseError):
            return None
        return known if isinstance(known, Found) else None

    def _opened(self, family: CacheFamily[T], found: Found | None) -> T | Missing | None:
        """The value that was found; none if it holds no more, or another version of the house wrote it."""
        if found is None or found.until <= self._timestamp():
            return MISSING
        try:
            return None if found.encoded is None else family.decode(found.encoded)
        except msgspec.DecodeError:
            return MISSING

    async def _look(self, flight: _Flight, family: CacheFamily[T], key: str, load: Load[T]) -> T | None:
        lease: Lease | None = None
        if self._shared is not None and self._shared.usable:
            with suppress(RedisUnavailable, ResponseError):
                claimed = await self._claim(self._shared, family, key)
                if isinstance(claimed, _Known):
                    self._count(family).shared_hits += 1
                    self._keep(flight, family, key, claimed.value, claimed.found)
                    return claimed.value
                lease = claimed
        return await self._load(flight, family, key, load, lease)

    async def _claim(self, shared: Shared, family: CacheFamily[T], key: str) -> _Known[T] | Lease | None:
        """What Redis has and still holds, or the right to load it; None if whoever loads it takes too long."""
        end, pause = monotonic() + self._wait, _FIRST_LOOK
        while True:
            found = await shared.read(key)
            if isinstance(found, Found) and (value := self._opened(family, found)) is not MISSING:
                return _Known(value, found)
            if not isinstance(found, Lease):
                lease = await shared.lease(key, instead_of=found)
                if lease is not None:
                    return lease
            if monotonic() >= end:
                return None
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_LOOK)

    async def _load(
        self, flight: _Flight, family: CacheFamily[T], key: str, load: Load[T], lease: Lease | None
    ) -> T | None:
        self._count(family).loads += 1
        try:
            value = await load()
        except Exception:
            if lease is not None:
                await self._release(lease)
            raise
        if value is None and family.negative_ttl is None:
            if lease is not None:
                await self._release(lease)
            return None
        found = self._found(family, value)
        if lease is None or await self._fill(lease, found):
            self._keep(flight, family, key, value, found)
        else:
            self._count(family).late += 1
        return value

    async def _replace(self, flight: _Flight, family: CacheFamily[T], key: str, value: T | None) -> T | None:
        found, incarnation = self._found(family, value), ""
        if self._shared is not None:
            present = self._shared.incarnation
            if await self._shared.write(key, found, found.until - self._timestamp()):
                incarnation = present
        await self._telling.tell([key], incarnation)
        self._keep(flight, family, key, value, found)
        return value

    async def _release(self, lease: Lease) -> None:
        assert self._shared is not None  # noqa: S101 - for the type checker: there is a lease
        with suppress(RedisUnavailable, ResponseError):
            await self._shared.release(lease)

    async def _fill(self, lease: Lease, found: Found) -> bool:
        assert self._shared is not None  # noqa: S101 - as above
        try:
            return await self._shared.fill(lease, found, found.until - self._timestamp())
        except (RedisUnavailable, ResponseError):
            return True  # nothing was forgotten, as far as this process knows

    def _found(self, family: CacheFamily[T], value: T | None) -> Found:
        now = self._timestamp()
        if value is None:
            return Found(None, now + (family.negative_ttl or 0.0))
        return Found(family.encode(value), now + family.ttl)

    def _keep(self, flight: _Flight, family: AnyFamily, key: str, value: Any, found: Found) -> None:
        if not flight.stale:
            self._remember(family, key, value, found)

    def _remember(self, family: AnyFamily, key: str, value: Any, found: Found) -> None:
        if not self._nodes.cut_off:
            weight = family.weigh(found.encoded or b"")
            self._memory.put(key, Entry(value, self._timestamp(), found.until, weight, self._count(family)))

    def _drop(self, *keys: str) -> None:
        self._forgets += 1
        for key in keys:
            self._memory.drop(key)
            flight = self._flights.pop(key, None)
            if flight is not None:
                flight.stale = True

    def _hear(self, keys: Sequence[str], incarnation: str) -> Awaitable[object] | None:
        self._drop(*keys)
        shared = self._shared
        if shared is None or incarnation == shared.incarnation != "":
            return None
        return self._forget_there(shared, keys)

    async def _forget_there(self, shared: Shared, keys: Sequence[str]) -> None:
        """What the other could not do, or did in another Redis than this one's."""
        await shared.remove(keys)
        self._drop(*keys)

    def _count(self, family: AnyFamily) -> CacheCounts:
        counts = self._counts.get(family.name)
        if counts is None:
            counts = self._counts[family.name] = CacheCounts(family.name)
        return counts
