"""Brings scores that have just changed back into the caches, many at once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from headwater.apps.scoreboard.models.caching import SCORES, KnownScore, ScoreOf
from headwater.kernel.bus import Rounds
from headwater.kernel.cache import Cache
from headwater.kernel.observe import Observer

LoadScores = Callable[[Sequence[ScoreOf]], Awaitable[Mapping[ScoreOf, KnownScore]]]
_PAUSE = 0.05
"""Seconds between two loads, in which what changes is gathered."""
_MOST = 10_000
"""Scores that may wait; of more, whoever asks for one loads it."""


class Renewals:
    """Scores that changed here and were forgotten everywhere: read again, into memory and into Redis.

    They are read because what an update found may be old by now (docs/decisions/0061); a change that is forgotten
    meanwhile is marked again by whoever made it. Nobody waits for any of this, and who asks sooner loads for himself.
    """

    def __init__(self, cache: Cache, observer: Observer) -> None:
        self._cache = cache
        self._marked: dict[str, ScoreOf] = {}
        self._load: LoadScores | None = None
        self._rounds = Rounds("scores", observer, self._renew)

    def start(self, load: LoadScores) -> None:
        """From now on bring back what is marked."""
        self._load = load
        self._rounds.start()

    async def stop(self) -> None:
        """Bring back nothing more."""
        await self._rounds.stop()

    def mark(self, whose: ScoreOf) -> None:
        """A score has changed; what was remembered of it is forgotten already."""
        if len(self._marked) < _MOST:
            self._marked[whose.name] = whose
            self._rounds.ring()

    async def _renew(self) -> None:
        marked, self._marked, load = self._marked, {}, self._load
        if not marked or load is None:
            return

        async def load_named(names: Sequence[str]) -> dict[str, KnownScore]:
            found = await load([marked[name] for name in names])
            return {whose.name: known for whose, known in found.items()}

        await self._cache.refresh(SCORES, list(marked), load_named)
        await asyncio.sleep(_PAUSE)
