"""A lookup in the cache: found in memory, and found in Redis by 32 at once, beside one GET each of redis-py."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import msgspec
import uvloop
from redis.asyncio import Redis as Peer

from bench.kit.report import Promise, conclude, ratio
from bench.kit.scratch import scratch
from headwater.boot.foundation import Ground, stand_on
from headwater.boot.settings import Settings
from headwater.kernel.bus import Nodes, PostgresBus
from headwater.kernel.cache import Cache, CacheFamily, CacheSettings
from headwater.kernel.clock import SystemClock
from headwater.kernel.component import Components
from headwater.kernel.observe import Observer
from headwater.kernel.redis import Redis, RedisSettings

AT_ONCE = 32
HITS = 100_000
TURNS = 100
ROUNDS = 15


class Profile(msgspec.Struct, frozen=True):
    """About 200 bytes, as they are looked up all day."""

    id: int
    name: str
    about: str


PROFILES = CacheFamily("profiles", Profile, ttl=3600)


async def _load() -> Profile:
    return Profile(7, "Ada Lovelace", "x" * 160)


async def microseconds_from_memory(cache: Cache) -> tuple[float, float]:
    """What a hit costs by `through` and by `peek`."""
    await cache.through(PROFILES, "7", _load)
    begun = perf_counter()
    for _ in range(HITS):
        await cache.through(PROFILES, "7", _load)
    through = perf_counter() - begun
    begun = perf_counter()
    for _ in range(HITS):
        cache.peek(PROFILES, "7")
    return through * 1e6 / HITS, (perf_counter() - begun) * 1e6 / HITS


async def microseconds_each(ask: Callable[[str], Awaitable[Any]]) -> float:
    """What one of many questions costs, asked by so many at once."""

    async def repeat(name: str) -> None:
        for _ in range(TURNS):
            await ask(name)

    begun = perf_counter()
    await asyncio.gather(*(repeat(str(number)) for number in range(AT_ONCE)))
    return (perf_counter() - begun) * 1e6 / (TURNS * AT_ONCE)


@asynccontextmanager
async def caches(folder: Path, socket: Path) -> AsyncGenerator[tuple[Cache, Cache]]:
    """A cache with memory, and one that finds everything in Redis."""
    observer, clock = Observer(), SystemClock()
    ground = Ground(settings=Settings({}), folder=folder, components=Components(()), clock=clock, observer=observer)
    async with AsyncExitStack() as stack:
        foundation = await stack.enter_async_context(stand_on(ground))
        bus = PostgresBus(foundation.connect, foundation.database, observer)
        nodes = Nodes(bus, observer)
        redis = Redis(RedisSettings(), f"unix://{socket}", observer)
        for part in (redis, bus, nodes):
            await part.start()
            stack.push_async_callback(part.stop)
        yield (
            Cache(redis, bus, nodes, clock, CacheSettings()),
            Cache(redis, bus, nodes, clock, CacheSettings(memory_bytes=0)),
        )


async def measure(folder: Path, socket: Path) -> int:
    """Both in turns; 1 above a bar."""
    through: list[float] = []
    peeked: list[float] = []
    ours: list[float] = []
    theirs: list[float] = []
    peer: Any = Peer(unix_socket_path=str(socket))
    async with caches(folder, socket) as (remembering, forgetful):
        for number in range(AT_ONCE):
            await remembering.put(PROFILES, str(number), await _load())
            await peer.set(str(number), msgspec.msgpack.encode(await _load()))
        for _ in range(ROUNDS):
            hit = await microseconds_from_memory(remembering)
            through.append(hit[0])
            peeked.append(hit[1])
            ours.append(await microseconds_each(lambda name: forgetful.through(PROFILES, name, _load)))
            theirs.append(await microseconds_each(peer.get))
        [counts] = forgetful.counts
        await peer.aclose()
    assert counts.loads == 0, "everything was to be found in Redis"
    print(f"found in Redis: {median(ours):.1f} µs each; redis-py GET: {median(theirs):.1f} µs each")
    return conclude(
        "a lookup in the cache",
        [
            Promise("in memory, by through()", median(through), 1.0, "µs", at_most=True),
            Promise("in memory, by peek()", median(peeked), 1.0, "µs", at_most=True),
            Promise(f"in Redis, {AT_ONCE} at once, to redis-py", ratio(ours, theirs), 0.5, "×", at_most=True),
        ],
    )


def main() -> int:
    """Everything in a folder of its own; 1 above a bar."""
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("this benchmark needs redis-server")
    with scratch() as folder:
        socket = folder / "redis.sock"
        stated = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
        process = subprocess.Popen([program, *stated], stdout=subprocess.DEVNULL)
        try:
            while not socket.exists():
                if process.poll() is not None:
                    raise SystemExit("redis-server did not start")
            return uvloop.run(measure(folder / "data", socket))
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
