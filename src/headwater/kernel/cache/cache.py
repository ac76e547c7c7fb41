"""The cache: memory first, then Redis, then one loader for each key."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from time import monotonic, perf_counter
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from headwater.kernel.bus import Bus, Nodes
from headwater.kernel.cache.family import AnyFamily, CacheFamily
from headwater.kernel.cache.figures import figures_of
from headwater.kernel.cache.flights import Flight, Flights
from headwater.kernel.cache.lifetimes import Lifetimes
from headwater.kernel.cache.memory import Entry, Memory
from headwater.kernel.cache.models import MISSING, CacheFigures, CacheSettings, Missing, RedisFigures
from headwater.kernel.cache.shared import Found, Lease, Shared
from headwater.kernel.cache.telling import Telling
from headwater.kernel.clock import Clock
from headwater.kernel.models import CacheKey
from headwater.kernel.observe import CacheCounts
from headwater.kernel.redis import Redis, RedisUnavailable, ResponseError

T = TypeVar("T")
Load = Callable[[], Awaitable[T | None]]
LoadMany = Callable[[Sequence[str]], Awaitable[Mapping[str, T]]]
_FIRST_LOOK = 0.002
_LONGEST_LOOK = 0.05


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
        self.memory = Memory(settings.memory_bytes)
        self.lifetimes = Lifetimes()
        self._flights = Flights()
        self._forgets = 0
        self._counts: dict[str, CacheCounts] = {}
        self._families: dict[str, AnyFamily] = {}
        self._telling = Telling(nodes, self._hear)
        nodes.on_return(self.distrust)
        bus.on_gap(self.distrust)
        nodes.on_silence(self._forget_for_another)

    @property
    def counts(self) -> Iterable[CacheCounts]:
        """What became of the lookups, by family."""
        return tuple(self._counts.values())

    @property
    def weight(self) -> int:
        """About how many bytes of memory this process holds."""
        return self.memory.weight

    @property
    def families(self) -> Mapping[str, AnyFamily]:
        """The families that were looked up here, by name."""
        return self._families

    async def describe(self) -> CacheFigures:
        """What it knows of itself, and how many of its keys lie in Redis, counted now."""
        redis = RedisFigures(status="off") if self._shared is None else await self._shared.describe()
        families = self._families.values()
        return CacheFigures(
            bytes=self.memory.weight,
            capacity=self.memory.capacity,
            entries=len(self.memory),
            families=tuple(figures_of(self._count(family), self.lifetimes.of(family)) for family in families),
            redis=redis,
        )

    def peek(self, family: CacheFamily[T], name: str) -> T | Missing | None:
        """What this process itself remembers, at once: None where it remembers that nothing is there."""
        key = family.key(name)
        entry = self.memory.find(key)
        if entry is None or self._nodes.cut_off:
            return MISSING
        if not entry.since <= self._timestamp() < entry.until:
            self.memory.drop(key)
            return MISSING
        self.memory.touch(key)
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
        began = perf_counter()
        try:
            return await self._beyond(family, family.key(name), load)
        finally:
            self._count(family).times.add(perf_counter() - began)

    async def _beyond(self, family: CacheFamily[T], key: str, load: Load[T]) -> T | None:
        """What memory does not have."""
        if key not in self._flights and self._shared is not None and self._shared.usable:
            forgets, known = self._forgets, await self._glance(self._shared, key)
            found = self._opened(family, known)
            if found is not MISSING and known is not None:
                self._count(family).shared_hits += 1
                if self._forgets == forgets:
                    self._remember(family, key, found, known)
                return found
        task = self._flights.task(key)
        if task is None or self._nodes.cut_off:
            flight = Flight()
            task = self._flights.board(flight, key, self._look(flight, family, key, load))
        else:
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
        flight = Flight()
        await asyncio.shield(self._flights.board(flight, key, self._replace(flight, family, key, value)))

    async def refresh(self, family: CacheFamily[T], names: Sequence[str], load: LoadMany[T]) -> int:
        """Load ahead what is called so, all at once, while what is remembered still answers; how many values there are.

        `load` is given the names that nobody is loading just now and returns what is there; nothing is there under the
        others. What is forgotten meanwhile is not brought back. Raises what `load` raises.
        """
        keys: dict[str, str] = {family.key(name): name for name in names}
        mine = self._flights.renew(keys)
        if not mine:
            return 0
        try:
            leases = await self._renewals(list(mine))
            values = await self._loaded(load, [keys[key] for key in mine], leases)
            filling = [self._renew(mine[key], family, key, values.get(keys[key]), leases.get(key)) for key in mine]
            await asyncio.gather(*filling)
        finally:
            self._flights.end(mine)
        self._count(family).refreshed += len(values)
        return len(values)

    async def clear(self, families: Sequence[AnyFamily]) -> int:
        """Return once nobody finds what was remembered of these families, on any node; how many keys that were.

        No other key is touched. Counted are the keys in Redis, those of loaders among them, and those that only this
        process had. Raises as `Nodes.tell_all`.
        """
        prefixes = tuple(family.prefix for family in families)
        gone = self._drop_all(prefixes)
        incarnation = ""
        try:
            if self._shared is not None:
                present = self._shared.incarnation
                there = await self._shared.remove_all(prefixes)
                if there is not None:
                    gone |= there
                    incarnation = present
        finally:
            gone |= self._drop_all(prefixes)  # what was read from Redis before it was removed there
            await self._telling.tell_prefixes(prefixes, incarnation)
        return len(gone)

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
        self.memory.clear()
        self._flights.drop_all()

    async def stop(self) -> None:
        """End the lookups that run."""
        await self._flights.stop()

    async def _forget_for_another(self) -> None:
        """Whoever was killed between a commit and its forgetting left what is old, here and in Redis."""
        await self.clear(tuple(self._families.values()))

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

    async def _look(self, flight: Flight, family: CacheFamily[T], key: str, load: Load[T]) -> T | None:
        lease: Lease | None = None
        if self._shared is not None and self._shared.usable:
            with suppress(RedisUnavailable, ResponseError):
                claimed = await self._claim(self._shared, family, key)
                if isinstance(claimed, _Known):
                    self._count(family).shared_hits += 1
                    self._keep(flight, family, key, claimed.value, claimed.found)
                    return claimed.value
                lease = claimed
        self._count(family).loads += 1
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
        self, flight: Flight, family: CacheFamily[T], key: str, load: Load[T], lease: Lease | None
    ) -> T | None:
        try:
            value = await load()
        except Exception:
            if lease is not None:
                await self._release(lease)
            raise
        await self._settle(flight, family, key, value, lease)
        return value

    async def _renewals(self, keys: Sequence[str]) -> dict[str, Lease]:
        """The right to fill each key, where it can be had."""
        if self._shared is None or not self._shared.usable:
            return {}
        had = await asyncio.gather(*map(self._shared.renewal, keys), return_exceptions=True)
        return {key: lease for key, lease in zip(keys, had, strict=True) if isinstance(lease, Lease)}

    async def _loaded(self, load: LoadMany[T], names: Sequence[str], leases: Mapping[str, Lease]) -> Mapping[str, T]:
        try:
            return await load(names)
        except Exception:
            for lease in leases.values():
                if not lease.renews:  # else what lies there was not touched, and holds
                    await self._release(lease)
            raise

    async def _renew(
        self, flight: Flight, family: CacheFamily[T], key: str, value: T | None, lease: Lease | None
    ) -> None:
        if value is None and not flight.stale:
            self.memory.drop(key)
        await self._settle(flight, family, key, value, lease)

    async def _settle(
        self, flight: Flight, family: CacheFamily[T], key: str, value: T | None, lease: Lease | None
    ) -> None:
        """Keep what was loaded, or that nothing is there, as far as it is to be kept."""
        if value is None and family.negative_ttl is None:
            if lease is not None:
                await self._release(lease)
            return
        found = self._found(family, value)
        if lease is None or await self._fill(lease, found):
            self._keep(flight, family, key, value, found)
        else:
            self._count(family).late += 1

    async def _replace(self, flight: Flight, family: CacheFamily[T], key: str, value: T | None) -> T | None:
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
        return Found(family.encode(value), now + self.lifetimes.of(family))

    def _keep(self, flight: Flight, family: AnyFamily, key: str, value: Any, found: Found) -> None:
        if not flight.stale:
            self._remember(family, key, value, found)

    def _remember(self, family: AnyFamily, key: str, value: Any, found: Found) -> None:
        if not self._nodes.cut_off:
            weight = family.weigh(found.encoded or b"")
            self.memory.put(key, Entry(value, self._timestamp(), found.until, weight, self._count(family)))

    def _drop(self, *keys: str) -> None:
        self._forgets += 1
        for key in keys:
            self.memory.drop(key)
            self._flights.drop(key)

    def _drop_all(self, prefixes: tuple[str, ...]) -> set[str]:
        self._forgets += 1
        self._flights.drop_all(prefixes)
        return self.memory.drop_all(prefixes)

    def _hear(self, keys: Sequence[str], prefixes: Sequence[str], incarnation: str) -> Awaitable[object] | None:
        self._drop(*keys)
        if prefixes:
            self._drop_all(tuple(prefixes))
        shared = self._shared
        if shared is None or incarnation == shared.incarnation != "":
            return None
        return self._forget_there(shared, keys, tuple(prefixes))

    async def _forget_there(self, shared: Shared, keys: Sequence[str], prefixes: tuple[str, ...]) -> None:
        """What the other could not do, or did in another Redis than this one's."""
        await shared.remove(keys)
        self._drop(*keys)
        if prefixes:
            await shared.remove_all(prefixes)
            self._drop_all(prefixes)

    def _count(self, family: AnyFamily) -> CacheCounts:
        counts = self._counts.get(family.name)
        if counts is None:
            counts = self._counts[family.name] = CacheCounts(family.name)
            self._families[family.name] = family
        return counts
