"""Which reads go through a pipe, and through which."""

import asyncio
from collections.abc import Sequence
from functools import partial
from time import perf_counter
from typing import NamedTuple

from headwater.kernel.database.lease import Lease
from headwater.kernel.database.models import DatabaseSettings
from headwater.kernel.database.pipeline.pipe import Pipe
from headwater.kernel.errors import Refusal

QUICK = 0.01
"""Seconds, up to which a statement's average time in a pipe lets it stay there; on a busy machine all are slow."""
_WEIGHT = 0.2
"""Of the newest time in the average: one of 50 ms is enough to be kept out."""
_FIRST_EXILE = 5.0
_LONGEST_EXILE = 640.0
_FORGIVEN_AFTER = 60.0
_MOST_KNOWN = 4096
_DEEPEST = 16
_TEXTS = (str, int, float, type(None))


class _Exile(NamedTuple):
    """Until when a statement is kept out of the pipes, in seconds of `perf_counter`, and how many seconds that is."""

    until: float
    length: float


class Pipelines:
    """Sends reads through few shared connections, but for those that have proven slow.

    A statement whose average is over `QUICK` has a pipe or a connection to itself for a while, so that nobody waits
    behind it; what waits behind one that is unusually slow is asked elsewhere after `STALL` seconds. Pipes are opened
    one by one while all of a login are busy, at most `pipelines` for each. They take their places from the lease's
    budget, at most half of it; a pipe without work is closed where somebody waits for a connection, and after
    `pool_idle` seconds.
    """

    def __init__(self, lease: Lease, settings: DatabaseSettings) -> None:
        self._lease = lease
        self._settings = settings
        self._pipes: dict[str, list[Pipe]] = {}
        self._averages: dict[str, float] = {}
        self._exiles: dict[str, _Exile] = {}
        self._opening: dict[str, asyncio.Task[None]] = {}
        self._trimming: asyncio.TimerHandle | None = None
        lease.when_crowded = self._yield_place

    @property
    def open_count(self) -> int:
        """Pipes that are open."""
        return sum(map(len, self._pipes.values()))

    def find(self, login: str, sql: str, arguments: Sequence[object]) -> Pipe | None:
        """The pipe a statement may go through now; None sends it to a connection of its own."""
        for argument in arguments:
            if type(argument) not in _TEXTS:
                return None
        exile = self._exiles.get(sql)
        if exile is not None and exile.until > perf_counter():
            return self._find_for_one(login)
        shallowest: Pipe | None = None
        for pipe in self._pipes.get(login, ()):
            if pipe.stalled:
                continue
            if not pipe.depth:
                shallowest = pipe
                break
            if shallowest is None or pipe.depth < shallowest.depth:
                shallowest = pipe
        if shallowest is None or shallowest.depth:
            self._grow(login)
        return None if shallowest is None or shallowest.depth >= _DEEPEST else shallowest

    def _find_for_one(self, login: str) -> Pipe | None:
        """A pipe without work for a slow statement, behind which nobody comes: it spares a long answer two copies.

        Of several pipes one is left to the quick ones.
        """
        mine = [pipe for pipe in self._pipes.get(login, ()) if not pipe.stalled]
        idle = next((pipe for pipe in mine if not pipe.depth), None)
        if idle is None or (len(mine) == 1 and len(self._pipes[login]) > 1):
            return None
        idle.stalled = True
        return idle

    def _note_pace(self, sql: str, seconds: float) -> None:
        """Take in how long a statement took; one that is slow on average goes into exile, each time for longer."""
        average = self._averages.get(sql, 0.0)
        average += _WEIGHT * (seconds - average)
        if average > QUICK:
            average = 0.0
            self._exile(sql)
        self._averages[sql] = average
        if len(self._averages) > _MOST_KNOWN:
            del self._averages[next(iter(self._averages))]
        if self._lease.is_crowded:
            self._yield_place()

    def _exile(self, sql: str) -> None:
        now = perf_counter()
        earlier = self._exiles.get(sql)
        if earlier is not None and earlier.until > now:
            return
        self._exiles.pop(sql, None)
        length = _FIRST_EXILE
        if earlier is not None and now - earlier.until < _FORGIVEN_AFTER:
            length = min(2 * earlier.length, _LONGEST_EXILE)
        self._exiles[sql] = _Exile(now + length, length)
        if len(self._exiles) > _MOST_KNOWN:
            del self._exiles[next(iter(self._exiles))]

    def _yield_place(self) -> None:
        """Close a pipe without work, the one idle longest, for whoever waits for a connection."""
        idle = [pipe for pipes in self._pipes.values() for pipe in pipes if not pipe.depth]
        if idle:
            min(idle, key=lambda pipe: pipe.idle_since).close()

    def _grow(self, login: str) -> None:
        """Open another pipe in the background, if the budget has room."""
        mine = len(self._pipes.get(login, ()))
        most = min(self._settings.pipelines, self._settings.pool_max // 2 - self.open_count + mine)
        if login not in self._opening and mine < most and not self._lease.is_crowded:
            self._opening[login] = asyncio.create_task(self._open(login))

    async def _open(self, login: str) -> None:
        try:
            connection = await self._lease.take(login)
            self._lease.set_apart(connection)
            patience = 2 * self._settings.statement_timeout
            pipe = Pipe(connection, patience, self._note_pace, partial(self._lose, login))
            self._pipes.setdefault(login, []).append(pipe)
        except Refusal:
            return  # the reads go on without it, and say so if they cannot
        finally:
            del self._opening[login]
        if self._trimming is None:
            self._trimming = asyncio.get_running_loop().call_later(self._settings.pool_idle, self._trim)

    def _lose(self, login: str, pipe: Pipe) -> None:
        mine = self._pipes.get(login, [])
        if pipe in mine:
            mine.remove(pipe)
            if not mine:
                del self._pipes[login]
            self._lease.free(login, pipe.connection)

    def _trim(self) -> None:
        """Close pipes without work for `pool_idle` seconds."""
        idle = self._settings.pool_idle
        oldest = perf_counter() - idle
        for pipe in [pipe for pipes in self._pipes.values() for pipe in pipes]:
            if not pipe.depth and pipe.idle_since < oldest:
                pipe.close()
        self._trimming = asyncio.get_running_loop().call_later(min(5.0, idle), self._trim) if self.open_count else None
