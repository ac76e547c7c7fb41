"""Ranks in Redis, shared by all processes of the house."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from headwater.apps.scoreboard.models.ranks import Change, Comparison, LiveSeason, Standing
from headwater.apps.scoreboard.ranks import scripts
from headwater.apps.scoreboard.ranks.entry import member_name, named, packed, told
from headwater.apps.scoreboard.ranks.held import NotHeld, Rows
from headwater.kernel.ids import new_secret
from headwater.kernel.redis import Redis, RedisUnavailable, ResponseError, Script

_AT_ONCE = 200
"""Entries that Redis takes in as one step: about a millisecond for which it does nothing else."""
_LEASE_MILLISECONDS = 30_000
_STATE_SECONDS = 2 * 3600
_ENTRIES_SECONDS = _STATE_SECONDS + 600
"""A comparison prolongs both; entries outlive the state that says that they are complete."""
_MOST_OWED = 50_000
_AWAY = (RedisUnavailable, ResponseError)


class _Sweep(NamedTuple):
    """A comparison under way: the lease's token, and the mark of who was seen."""

    token: str
    mark: bytes


class _Scripts:
    """The steps, known to one Redis."""

    def __init__(self, redis: Redis) -> None:
        self.change = redis.script(scripts.CHANGE)
        self.begin_season = redis.script(scripts.BEGIN_SEASON)
        self.open = redis.script(scripts.OPEN)
        self.sweep = redis.script(scripts.SWEEP)
        self.finish = redis.script(scripts.FINISH)
        self.release = redis.script(scripts.RELEASE)
        self.rank = redis.script(scripts.RANK)
        self.rank_with = redis.script(scripts.RANK_WITH)
        self.count = redis.script(scripts.COUNT)
        self.page = redis.script(scripts.PAGE)
        self.around = redis.script(scripts.AROUND)


class SharedRanks:
    """A sorted set for each board and season.

    Every process takes every change there, and the first counts; so one that dies or is cut off loses none. What
    Redis could not be told is owed, and this process asks the rows until it is paid. The names of the keys carry the
    incarnation of Redis: one that came back with an old snapshot has no ranks, and they are built again, by one.
    `compare_soon(board)` is called where that is seen by nothing but another incarnation.
    """

    def __init__(self, redis: Redis, compare_soon: Callable[[str], None]) -> None:
        self._redis = redis
        self._scripts = _Scripts(redis)
        self._compare_soon = compare_soon
        self._compared_in: dict[str, str] = {}
        self._owed: dict[tuple[str, int, UUID], Change] = {}
        self._dropped: set[str] = set()

    async def apply(self, change: Change) -> None:
        """See `Held.apply`."""
        try:
            await self._tell(change)
            await self.pay()
        except _AWAY:
            self._owe(change)

    async def begin_season(self, board: str, season: int) -> None:
        """See `Held.begin_season`; what Redis misses, the next comparison tells it."""
        with suppress(*_AWAY):
            await self._scripts.begin_season.run(self._keys(board, season)[:3], season)

    async def drop(self, board: str) -> None:
        """See `Held.drop`."""
        self._dropped.add(board)
        with suppress(*_AWAY):
            await self.pay()

    async def pay(self) -> None:
        """Tell Redis what it could not be told. Raises as `Redis.call`."""
        for board in tuple(self._dropped):
            await self._redis.call("DEL", self._keys(board, 0)[0])
            self._dropped.discard(board)
        for key, change in tuple(self._owed.items()):
            await self._tell(change)
            if self._owed.get(key) is change:
                del self._owed[key]

    async def rank(self, board: str, season: int, user_id: UUID) -> int | None:
        """See `Ranks.rank`."""
        return await self._ask(self._scripts.rank, board, season, user_id.bytes) or None

    async def rank_with(self, board: str, season: int, user_id: UUID, standing: int, reached_at: datetime) -> int:
        """See `Ranks.rank_with`."""
        name = member_name(reached_at, user_id)
        return await self._ask(self._scripts.rank_with, board, season, user_id.bytes, standing, name)

    async def count(self, board: str, season: int) -> int:
        """See `Ranks.count`."""
        return await self._ask(self._scripts.count, board, season)

    async def page(self, board: str, season: int, offset: int, limit: int) -> list[Standing]:
        """See `Ranks.page`."""
        if limit <= 0:
            return []
        return _standings(await self._ask(self._scripts.page, board, season, offset, offset + limit - 1))

    async def around(self, board: str, season: int, user_id: UUID, above: int, below: int) -> list[Standing]:
        """See `Ranks.around`."""
        return _standings(await self._ask(self._scripts.around, board, season, user_id.bytes, above, below))

    async def reconcile(self, rows: Rows) -> Comparison | None:
        """See `Held.reconcile`; by one process at a time, which holds a lease. Raises as `Redis.call`."""
        live = rows.season
        await self.pay()
        self._compared_in[live.board] = self._redis.incarnation
        keys, token = self._keys(live.board, live.season), new_secret()
        if not await self._redis.call("SET", keys[3], token, "NX", "PX", _LEASE_MILLISECONDS):
            return Comparison(live.board, live.season, complete=False)
        try:
            return await self._compare(rows, keys, token)
        finally:
            with suppress(*_AWAY):
                await self._scripts.release.run(keys, live.season, token)

    async def _compare(self, rows: Rows, keys: list[str], token: str) -> Comparison | None:
        live, s = rows.season, self._scripts
        opened = await s.open.run(keys, live.season, token, int(live.ascending), _STATE_SECONDS)
        if opened is None:
            return None
        generation, ready = opened
        missing = late = wrong = 0
        async with aclosing(rows.chunks()) as chunks:
            async for chunk in chunks:
                parts = [b"".join(chunk[start : start + _AT_ONCE]) for start in range(0, len(chunk), _AT_ONCE)]
                for found in await asyncio.gather(
                    *(self._change(live.board, live.season, part, token) for part in parts)
                ):
                    if found is None:
                        return None
                    missing, late, wrong = missing + found[0], late + found[1], wrong + found[2]
        surplus = await self._sweep(live, keys, _Sweep(token, b"%d" % generation))
        entries = await s.finish.run(keys, live.season, token, _STATE_SECONDS, _ENTRIES_SECONDS)
        if surplus is None or entries is None:
            return None
        return Comparison(
            board=live.board,
            season=live.season,
            entries=entries,
            loaded=not ready,
            missing=missing,
            late=late,
            wrong=wrong,
            surplus=surplus,
        )

    async def _sweep(self, live: LiveSeason, keys: list[str], sweep: _Sweep) -> int | None:
        """How many entries had no row and were removed; None where the season or the lease ended."""
        removed, cursor = 0, 0
        while True:
            scanned: tuple[int, dict[bytes, bytes]] = await self._redis.call(
                "HSCAN", keys[2], cursor, "COUNT", _AT_ONCE
            )
            cursor, known = scanned
            unseen: list[bytes] = []
            for user, value in known.items():
                if value.split(b":", 2)[1] != sweep.mark:
                    unseen += (user, value)
            if unseen:
                found = await self._scripts.sweep.run(keys, live.season, sweep.token, *unseen)
                if found is None:
                    return None
                removed += found
            if cursor == 0:
                return removed

    async def _tell(self, change: Change) -> None:
        entry = told(packed(change.standing, change.reached_at, change.user_id.int, change.revision))
        await self._change(change.board, change.season, entry, gone=change.score is None)

    async def _change(
        self, board: str, season: int, entries: bytes, token: str = "", *, gone: bool = False
    ) -> list[int] | None:
        lives = (_LEASE_MILLISECONDS, _ENTRIES_SECONDS)
        return await self._scripts.change.run(self._keys(board, season), season, token, *lives, entries, int(gone))

    async def _ask(self, script: Script, board: str, season: int, *arguments: bytes | int) -> Any:
        """What the script answers; raises `NotHeld` for nothing, and where Redis may not know everything."""
        if self._owed or self._dropped:
            raise NotHeld
        incarnation = self._redis.incarnation
        try:
            answer = await script.run(self._keys(board, season)[:3], season, *arguments)
        except _AWAY:
            raise NotHeld from None
        present = self._redis.incarnation  # a new connection has found another Redis, perhaps one with an old snapshot
        if self._compared_in.get(board, present) != present:
            self._compared_in[board] = present
            self._compare_soon(board)
        if answer is None or present != incarnation:
            raise NotHeld
        return answer

    def _owe(self, change: Change) -> None:
        key = (change.board, change.season, change.user_id)
        known = self._owed.get(key)
        if known is None or known.revision < change.revision:
            self._owed[key] = change
        if len(self._owed) > _MOST_OWED:
            self._dropped.update(board for board, _, _ in self._owed)  # to be built again
            self._owed.clear()

    def _keys(self, board: str, season: int) -> list[str]:
        redis = self._redis
        name = redis.key("scoreboard", "ranks", redis.incarnation, f"{{{board}}}")
        return [f"{name}:state", f"{name}:{season}:order", f"{name}:{season}:users", f"{name}:lease"]


def _standings(answer: tuple[bytes, bytes | int, list[bytes]]) -> list[Standing]:
    """What PAGE and AROUND answer."""
    ascending, start, members = answer
    sign = 1 if ascending == b"1" else -1
    found: list[Standing] = []
    for rank, at in enumerate(range(0, len(members), 2), int(start) + 1):
        reached_at, user_id = named(members[at])
        found.append(Standing(user_id, int(float(members[at + 1])) * sign, reached_at, rank))
    return found
