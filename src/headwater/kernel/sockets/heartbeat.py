"""One clock for the heartbeats of every socket, and for everything that must not last."""

import asyncio
from collections.abc import Callable
from math import ceil
from typing import Protocol

SLOTS = 25


class Beating(Protocol):
    """What a heartbeat is asked of; `silent` counts the beats since the last sign of life."""

    silent: int

    def beat(self) -> None:
        """Ask for a sign of life."""
        ...


class Heartbeat:
    """Asks each of many for a sign of life once in `interval` seconds, a twenty-fifth of them at a time.

    Who has not given one `timeout` seconds later is looked at once more in the next step, because his answer may just
    have come, and then it is `lost`. Work that is to be done later is done here too: no socket has a timer of its own.
    """

    def __init__(self, interval: float, timeout: float, lost: Callable[[Beating], None]) -> None:
        self.step = interval / SLOTS
        rounds, rest = divmod(ceil(timeout / self.step), SLOTS)
        self._rounds, self._rest = (rounds, rest) if rest else (rounds - 1, SLOTS)
        self._lost = lost
        self._slots: list[set[Beating]] = [set() for _ in range(SLOTS)]
        self._suspects: list[Beating] = []
        self._later: dict[object, tuple[int, Callable[[], None]]] = {}
        self._at = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to beat."""
        self._timer = asyncio.get_running_loop().call_later(self.step, self._tick)

    def stop(self) -> None:
        """Beat no more."""
        if self._timer is not None:
            self._timer.cancel()

    def add(self, beating: Beating) -> None:
        """Ask this one too, first after a whole interval."""
        self._slots[self._at % SLOTS].add(beating)

    def remove(self, beating: Beating) -> None:
        """Ask this one no more."""
        for slot in self._slots:
            slot.discard(beating)

    def later(self, whose: object, seconds: float, work: Callable[[], None]) -> None:
        """Do something for `whose` in so many seconds, about, unless it is `settled` before."""
        self._later[whose] = (self._at + ceil(seconds / self.step), work)

    def settled(self, whose: object) -> None:
        """What was to be done for `whose` is needless."""
        self._later.pop(whose, None)

    def _tick(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self.step, self._tick)
        self._at += 1
        suspects, self._suspects = self._suspects, []
        for beating in suspects:
            if beating.silent > self._rounds:
                self._lost(beating)
        late = self._slots[(self._at - self._rest) % SLOTS]
        self._suspects = [beating for beating in late if beating.silent > self._rounds]
        for beating in tuple(self._slots[self._at % SLOTS]):
            beating.silent += 1
            beating.beat()
        for whose, (at, work) in tuple(self._later.items()):
            if at <= self._at:
                del self._later[whose]
                work()
