"""A loader that a test can hold back, and the values it loads."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import msgspec

from headwater.kernel.cache import Cache, CacheFamily


class Profile(msgspec.Struct, frozen=True):
    """What is remembered."""

    name: str
    age: int = 0


PROFILES = CacheFamily("profiles", Profile, ttl=60, negative_ttl=5)
PAGES = CacheFamily("pages", bytes, ttl=60)
ROWS = CacheFamily("rows", int, ttl=3600)
ADA = Profile("Ada", 36)
OLDER = Profile("Ada", 37)


class Loader:
    """Counts its calls, reads `value` when it is called and answers when it is let."""

    def __init__(self, value: Any = ADA, *, waits: bool = False) -> None:
        self.value = value
        self.calls = 0
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()
        if not waits:
            self.may_end.set()

    async def __call__(self) -> Any:
        """The value, as it was when this was called."""
        self.calls += 1
        value = self.value
        self.began.set()
        await self.may_end.wait()
        if isinstance(value, Exception):
            raise value
        return value


async def look_while(cache: Cache, removal: Awaitable[object]) -> None:
    """Let somebody ask for Ada, and her entry be removed while it is loaded for him: he is told what he asked for."""
    slow = Loader(waits=True)
    looking = asyncio.create_task(cache.through(PROFILES, "ada", slow))
    await slow.began.wait()
    await removal
    slow.may_end.set()
    assert await looking == ADA


def counted(cache: Cache) -> dict[str, int]:
    """What became of the lookups in the only family, without zeros."""
    [counts] = cache.counts
    others = {"family", "entries", "weight", "times"}
    return {name: count for name, count in msgspec.structs.asdict(counts).items() if count and name not in others}
