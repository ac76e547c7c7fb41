"""Who in this process wants to know at once."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial

from headwater.kernel.models import Event
from headwater.kernel.observe import HookFailed, Observer

EventListener = Callable[[Event], None]


class Listeners:
    """Told every event of this process after its commit, durable or not, and never again.

    A listener does not wait; what it begins, it supervises.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._listeners: dict[str | None, list[EventListener]] = defaultdict(list)

    def listen(self, listener: EventListener, of: str | None = None) -> Callable[[], None]:
        """From now on `listener` is told the events named `of`, or all of them; the result ends that."""
        self._listeners[of].append(listener)
        return partial(self._listeners[of].remove, listener)

    def tell(self, events: Iterable[Event]) -> None:
        """Tell every listener, event by event; one that fails hinders nobody."""
        for event in events:
            for listener in (*self._listeners[None], *self._listeners[type(event).__name__]):
                try:
                    listener(event)
                except Exception as failure:  # noqa: BLE001 - a listener's failure is not the emitter's
                    self._observer.tell(HookFailed(part="events", failure=failure))
