"""Who looks after the cache: judges its figures, raises and ends alerts, and does what can be done about them."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from headwater.kernel.bus import Rounds
from headwater.kernel.cache.cache import Cache
from headwater.kernel.cache.models import Alert, AlertKind, CacheSettings, Reaction, ReactionKind
from headwater.kernel.clock import Clock
from headwater.kernel.observe import (
    CacheAlertEnded,
    CacheAlertRaised,
    CacheCounts,
    CacheTended,
    Observer,
    quantile,
)

_KEPT = 50
_WIDER = 1.25
_CLEARED_TO = 0.75
Hurry = Callable[[], bool]


class _Mark(msgspec.Struct):
    """A family's counts at its latest judgement."""

    hits: int = 0
    lookups: int = 0
    evictions: int = 0
    timed: int = 0


class _Did(NamedTuple):
    kind: ReactionKind
    told: str


class CacheMonitor:
    """Looks every few seconds; a judgement is made of what happened since the last one, once that is enough.

    Too few hits: the family's values hold longer, as far as it allows; where values were pushed out of memory too
    early, this process may hold more; and what is asked for most is loaded ahead. Memory nearly full: what holds no
    more goes, then what was used longest ago, until a quarter is free. Slow lookups: this process may hold more, so
    that fewer of them leave it. Each is done again at every look until its alert ends, in steps up to a bound, and
    holds until the process ends. Every process looks after itself.
    """

    def __init__(self, cache: Cache, clock: Clock, observer: Observer, settings: CacheSettings, hurry: Hurry) -> None:
        self._cache = cache
        self._clock = clock
        self._observer = observer
        self._settings = settings
        self._hurry = hurry
        self._marks: dict[str, _Mark] = {}
        self._alerts: dict[tuple[AlertKind, str], Alert] = {}
        self._reactions: deque[Reaction] = deque(maxlen=_KEPT)
        self._rounds = Rounds("cache monitor", observer, self._round)

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Those that are on now, the oldest first."""
        return tuple(self._alerts.values())

    @property
    def reactions(self) -> tuple[Reaction, ...]:
        """What was done about alerts, the latest first; the last 50."""
        return tuple(self._reactions)

    def start(self) -> None:
        """From now on look every so often."""
        self._rounds.start()

    async def stop(self) -> None:
        """Look no more."""
        await self._rounds.stop()

    def look(self) -> None:
        """Judge everything once, and do what is to be done."""
        for counts in self._cache.counts:
            mark = self._marks.setdefault(counts.family, _Mark())
            self._judge_hits(counts, mark)
            self._judge_times(counts, mark)
        self._judge_memory()

    async def _round(self) -> float:
        self.look()
        return self._settings.look_every

    def _judge_hits(self, counts: CacheCounts, mark: _Mark) -> None:
        lookups = counts.lookups - mark.lookups
        if lookups < self._settings.least_lookups:
            return
        rate, evicted = (counts.hits - mark.hits) / lookups, counts.evictions - mark.evictions
        mark.hits, mark.lookups, mark.evictions = counts.hits, counts.lookups, counts.evictions
        least = self._settings.least_hit_rate
        if self._raised(AlertKind.LOW_HIT_RATE, counts.family, rate, least, bad=rate < least):
            self._react(AlertKind.LOW_HIT_RATE, counts.family, self._optimise(counts.family, evicted))

    def _judge_times(self, counts: CacheCounts, mark: _Mark) -> None:
        newest = counts.times.newest(counts.times.count - mark.timed)
        if len(newest) < self._settings.least_lookups:
            return
        mark.timed = counts.times.count
        slowest, most = quantile(newest, 0.99) or 0.0, self._settings.most_seconds
        if self._raised(AlertKind.SLOW_RESPONSE, counts.family, slowest, most, bad=slowest > most):
            self._react(AlertKind.SLOW_RESPONSE, counts.family, self._widen())

    def _judge_memory(self) -> None:
        memory, most = self._cache.memory, self._settings.most_memory_share
        taken = memory.weight / memory.capacity if memory.capacity else 0.0
        if self._raised(AlertKind.HIGH_MEMORY, "", taken, most, bad=taken > most):
            gone = memory.clear_old(self._clock.timestamp(), min(_CLEARED_TO, most))
            self._react(
                AlertKind.HIGH_MEMORY,
                "",
                [_Did(ReactionKind.CLEAR_OLD, f"{gone} old values cleared, {memory.weight} bytes are left")],
            )

    def _optimise(self, name: str, evicted: int) -> list[_Did]:
        done = self._widen() if evicted else []
        longer = self._cache.lifetimes.lengthen(self._cache.families[name])
        if longer is not None:
            done.append(_Did(ReactionKind.LENGTHEN, f"values of {name} hold {longer:g} s from now on"))
        if self._hurry():
            done.append(_Did(ReactionKind.WARM, "what is asked for most is loaded ahead"))
        return done

    def _widen(self) -> list[_Did]:
        memory = self._cache.memory
        wider = min(int(memory.capacity * _WIDER), self._settings.memory_most_bytes)
        if wider <= memory.capacity:
            return []
        memory.capacity = wider
        return [_Did(ReactionKind.WIDEN, f"this process may hold {wider} bytes from now on")]

    def _raised(self, kind: AlertKind, family: str, figure: float, threshold: float, *, bad: bool) -> bool:
        """Whether the alert is on, now that the figure is known; tells where that has changed."""
        now, present = self._clock.now(), self._alerts.get((kind, family))
        if bad:
            since = now if present is None else present.since
            alert = Alert(kind=kind, family=family, figure=figure, threshold=threshold, since=since)
            self._alerts[kind, family] = alert
            if present is None:
                self._observer.tell(CacheAlertRaised(kind, family, figure, threshold))
        elif present is not None:
            del self._alerts[kind, family]
            seconds = (now - present.since).total_seconds()
            self._observer.tell(CacheAlertEnded(kind, family, figure, seconds))
        return bad

    def _react(self, alert: AlertKind, family: str, done: list[_Did]) -> None:
        for did in done:
            self._reactions.appendleft(
                Reaction(at=self._clock.now(), alert=alert, family=family, kind=did.kind, told=did.told)
            )
            self._observer.tell(CacheTended(alert, family, did.kind, did.told))
