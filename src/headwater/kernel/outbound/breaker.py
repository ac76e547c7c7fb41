"""The circuit breaker: who failed again and again is left alone for a while."""

from collections import OrderedDict
from math import ceil

import msgspec

from headwater.kernel.clock import Clock
from headwater.kernel.observe import CircuitClosed, CircuitOpened, Observer
from headwater.kernel.outbound.errors import CircuitOpen
from headwater.kernel.outbound.models import OutboundSettings

_MOST_HOSTS = 10_000


class _Circuit(msgspec.Struct):
    failures: int = 0
    closed_until: float = 0.0
    """Until when nobody is let through."""
    tested: bool = False
    """Whether somebody is on his way to try again."""


class Breaker:
    """Counts failures in a row of each host; after `breaks_after` it refuses calls for `breaks_for` seconds.

    Then one call goes through: its success lets everyone in again, its failure starts the pause anew.
    """

    def __init__(self, settings: OutboundSettings, clock: Clock, observer: Observer) -> None:
        self._settings = settings
        self._clock = clock
        self._observer = observer
        self._circuits: OrderedDict[str, _Circuit] = OrderedDict()

    def admit(self, host: str) -> None:
        """Return if the host may be asked; raises `CircuitOpen`."""
        circuit = self._circuits.get(host)
        if circuit is None or circuit.failures < self._settings.breaks_after:
            return
        left = circuit.closed_until - self._clock.timestamp()
        if left > 0 or circuit.tested:
            seconds = max(1, ceil(left))
            raise CircuitOpen(host=host, seconds=seconds, headers={"Retry-After": str(seconds)})
        circuit.tested = True

    def succeed(self, host: str) -> None:
        """The host has answered."""
        circuit = self._circuits.pop(host, None)
        if circuit is not None and circuit.failures >= self._settings.breaks_after:
            self._observer.tell(CircuitClosed(host=host))

    def fail(self, host: str) -> None:
        """The host has not answered, or only to say that it is broken."""
        circuit = self._circuits.setdefault(host, _Circuit())
        self._circuits.move_to_end(host)
        if len(self._circuits) > _MOST_HOSTS:
            self._circuits.popitem(last=False)
        circuit.failures += 1
        circuit.tested = False
        if circuit.failures >= self._settings.breaks_after:
            circuit.closed_until = self._clock.timestamp() + self._settings.breaks_for
            if circuit.failures == self._settings.breaks_after:
                self._observer.tell(CircuitOpened(host=host))

    def left_alone(self) -> list[str]:
        """The hosts that nobody is let through to now, in the order of their names."""
        now, most = self._clock.timestamp(), self._settings.breaks_after
        broken = (host for host, each in self._circuits.items() if each.failures >= most and each.closed_until > now)
        return sorted(broken)

    def forget_test(self, host: str) -> None:
        """Whoever was to try again never came to it: the next one may."""
        circuit = self._circuits.get(host)
        if circuit is not None:
            circuit.tested = False
