"""Exact ranks among a million players: a random one with ten neighbours, beside counting in SQL; loading; memory."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import fmean
from time import perf_counter, thread_time
from uuid import UUID

import asyncpg
import uvloop

from bench.kit.cluster import address_of
from bench.kit.footprint import resident_bytes
from bench.kit.report import Promise, conclude
from bench.kit.scratch import scratch
from bench.kit.servers import free_port, headwater_command, stop, wait_until_ready
from headwater.apps.scoreboard.models.ranks import Change
from headwater.apps.scoreboard.ranks import Ranks
from headwater.boot.components import find_components
from headwater.boot.foundation import Foundation, Ground, stand_on
from headwater.boot.settings import Settings
from headwater.kernel.clock import SystemClock
from headwater.kernel.database import Transactions
from headwater.kernel.database.embedded.models import DATABASE, SUPERUSER
from headwater.kernel.observe import Observer
from headwater.kernel.redis import Redis, RedisSettings

PLAYERS = 1_000_000
ASKED = 20_000
COUNTED = 50
CHANGED = 5_000
BOARD, SEASON = "default", 1
START = datetime(2026, 1, 1, tzinfo=UTC)
FILL = f"""
set session_replication_role = replica;
insert into auth.users (id, email)
  select md5('player ' || n)::uuid, 'player' || n || '@example.com' from generate_series(1, {PLAYERS}) n;
insert into scoreboard.players (user_id, username)
  select md5('player ' || n)::uuid, 'player' || n from generate_series(1, {PLAYERS}) n;
insert into scoreboard.scores (board, season, user_id, score, standing, reached_at, revision)
  select '{BOARD}', {SEASON}, md5('player ' || n)::uuid, score, -score,
    '2026-01-01Z'::timestamptz + n * interval '1 second', nextval('scoreboard.revision')
  from (select n, (n::bigint * 7919) % 250000 as score from generate_series(1, {PLAYERS}) n) player;
vacuum analyze auth.users, scoreboard.players, scoreboard.scores;
"""
SAMPLE = f"""
select user_id, standing, reached_at from scoreboard.scores where board = '{BOARD}' and season = {SEASON}
order by md5(user_id::text) limit $1
"""
COUNT = f"""
select 1 + count(*) from scoreboard.scores
where board = '{BOARD}' and season = {SEASON} and (standing < $1 or (standing = $1 and reached_at < $2))
"""
"""What the original asks: how many have more, or as much and earlier."""


class Heart:
    """For how long the loop was ever kept by one turn: in processor time, as others may want the core too."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def beat(self) -> None:
        """Until it is cancelled."""
        while True:
            before = thread_time()
            await asyncio.sleep(0.001)
            self.longest = max(self.longest, thread_time() - before)


async def seconds_each(ask: Callable[[int], Awaitable[object]], count: int) -> list[float]:
    """How long each of so many questions takes, sorted."""
    times: list[float] = []
    for number in range(count):
        begun = perf_counter()
        await ask(number)
        times.append(perf_counter() - begun)
    return sorted(times)


def p99(times: list[float]) -> float:
    """Milliseconds that one of a hundred exceeds."""
    return times[int(len(times) * 0.99)] * 1000


async def load(foundation: Foundation, redis: Redis | None = None) -> tuple[Ranks, float, float]:
    """Loaded ranks, how many seconds that took, and for how many milliseconds the loop stood still at most."""
    ranks, heart = Ranks(foundation.database, Observer(), redis), Heart()
    beating = asyncio.create_task(heart.beat())
    begun = perf_counter()
    await ranks.load(Transactions(foundation.database))
    seconds = perf_counter() - begun
    beating.cancel()
    with suppress(asyncio.CancelledError):
        await beating
    assert await ranks.count(BOARD, SEASON) == PLAYERS, "not everybody was loaded"
    return ranks, seconds, heart.longest * 1000


async def fill(folder: Path) -> None:
    """A million players with a score each, put in by the superuser, who may leave the foreign keys unchecked."""
    async with stand_on(made_ground(folder)):
        address = await asyncio.to_thread(address_of, folder)  # which has a loop of its own
        connection = await asyncpg.connect(**address.connect_arguments(SUPERUSER, DATABASE))
        for statement in FILL.split(";\n"):
            if statement.strip():
                await connection.execute(statement, timeout=600)
        await connection.close()


def made_ground(folder: Path) -> Ground:
    """The house's ground in a folder."""
    settings, clock = Settings({}), SystemClock()
    return Ground(settings=settings, folder=folder, components=find_components(), clock=clock, observer=Observer())


@asynccontextmanager
async def a_redis(folder: Path) -> AsyncGenerator[Redis]:
    """A Redis of the benchmark's own."""
    program, socket = shutil.which("redis-server"), folder / "redis.sock"
    if program is None:
        raise SystemExit("this benchmark needs redis-server")
    stated = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    process = subprocess.Popen([program, *stated], stdout=subprocess.DEVNULL)
    redis = Redis(RedisSettings(), f"unix://{socket}", Observer())
    try:
        while not socket.exists():
            time.sleep(0.01)
        await redis.start()
        yield redis
    finally:
        await redis.stop()
        process.terminate()
        process.wait()


async def measure(folder: Path) -> list[Promise]:
    """Everything that one process does."""
    async with stand_on(made_ground(folder)) as foundation:
        database = foundation.database
        sample = await database.reading(lambda tx: tx.rows(SAMPLE, ASKED))
        users: list[UUID] = [row["user_id"] for row in sample]
        Random(1).shuffle(users)
        counted = await seconds_each(
            lambda n: database.single(lambda tx: tx.value(COUNT, sample[n]["standing"], sample[n]["reached_at"])),
            COUNTED,
        )
        before = resident_bytes(os.getpid())
        ranks, seconds, stalled = await load(foundation)
        held = resident_bytes(os.getpid()) - before
        asked = await seconds_each(lambda n: ranks.around(BOARD, SEASON, users[n], 5, 5), ASKED)
        changed = await seconds_each(lambda n: ranks.apply(_changed(users[n], n)), CHANGED)
        begun = perf_counter()
        comparison = await ranks.reconcile(Transactions(database), BOARD)
        compared = perf_counter() - begun
        assert comparison.wrong == comparison.missing == comparison.late == comparison.surplus == 0
        print(f"counting in SQL: {fmean(counted) * 1000:.1f} ms; here {fmean(asked) * 1e6:.0f} µs")
        print(f"a change: p99 {p99(changed) * 1000:.0f} µs; comparing all: {compared:.1f} s")
        async with a_redis(folder) as redis:
            shared, filled, stalled_there = await load(foundation, redis)
            there = await seconds_each(lambda n: shared.around(BOARD, SEASON, users[n], 5, 5), ASKED)
        print(f"in Redis: filled in {filled:.1f} s, the loop stood still for {stalled_there:.1f} ms at most")
    return [
        Promise("rank and 10 neighbours in process, p99", p99(asked), 5, "ms", goal=1, at_most=True),
        Promise("rank and 10 neighbours in Redis, p99", p99(there), 5, "ms", goal=1, at_most=True),
        Promise("as fast as counting in SQL, in process", fmean(counted) / fmean(asked), 50, "×"),
        Promise("as fast as counting in SQL, in Redis", fmean(counted) / fmean(there), 50, "×"),
        Promise("loading", seconds, 10, "s", goal=5, at_most=True),
        Promise("the loop stood still while it loaded", stalled, 20, "ms", at_most=True),
        Promise("memory of the index", held / 1e6, 320, "MB", at_most=True),
    ]


def _changed(user: UUID, number: int) -> Change:
    """A change that the rows do not have, of a revision newer than theirs."""
    score = number * 50
    return Change(BOARD, SEASON, user, score, -score, START, 10 * PLAYERS + number)


def seconds_to_ready(folder: Path) -> float:
    """From the command to the first 200 of /ready, the ranks loaded."""
    port, log = free_port(), folder.parent / "headwater.log"
    with log.open("wb") as output:
        begun = perf_counter()
        process = subprocess.Popen(headwater_command(folder, port), stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/ready", process, log, 60)
            return perf_counter() - begun
        finally:
            stop(process)


def main() -> int:
    """On a data folder with a million scores; 1 above a bar."""
    with scratch() as folder:
        print(f"putting in {PLAYERS:,} scores …", flush=True)
        uvloop.run(fill(folder / "data"))
        promises = uvloop.run(measure(folder / "data"))
        ready = seconds_to_ready(folder / "data")
    title = f"ranks of {PLAYERS:,} players"
    return conclude(title, [*promises, Promise("from the command to /ready", ready, 10, "s", goal=5, at_most=True)])


if __name__ == "__main__":
    sys.exit(main())
