"""Who hears what: the handlers of one process, whoever carries the messages."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable

from headwater.kernel.bus.bus import GapHandler, Handler
from headwater.kernel.bus.tasks import Tasks
from headwater.kernel.errors import Busy, DatabaseUnavailable
from headwater.kernel.observe import HookFailed, Observer

_PATIENCE = 10.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0


class Hearing:
    """The handlers of a bus: each is called at once and in order; asynchronous ones go on as supervised tasks."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._handlers: dict[str, list[Handler]] = defaultdict(list)
        self._gap_handlers: list[GapHandler] = []
        self._tasks = Tasks("bus", observer)

    def subscribe(self, topic: str, handler: Handler) -> Callable[[], None]:
        """From now on `handler` hears every message on `topic`; the result ends that."""
        self._handlers[topic].append(handler)
        return partial(self._handlers[topic].remove, handler)

    def on_gap(self, callback: GapHandler) -> None:
        """From now on `heal_gap` calls `callback` too."""
        self._gap_handlers.append(callback)

    def deliver(self, topic: str, message: bytes) -> None:
        """Let every handler of `topic` hear `message`."""
        for handler in tuple(self._handlers.get(topic, ())):
            self.call(partial(handler, message))

    async def heal_gap(self) -> None:
        """Let everyone know who may have missed a message; return once all have read again what they must.

        Whoever could not because Postgres was away, or took more than 10 s, is called again.
        """
        calling, pause = tuple(self._gap_handlers), _FIRST_PAUSE
        while calling := [one for one in await asyncio.gather(*map(self._heal, calling)) if one is not None]:
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _heal(self, handler: GapHandler) -> GapHandler | None:
        """The handler itself, if it is to be called again."""
        try:
            waited = handler()
            if waited is not None:
                async with asyncio.timeout(_PATIENCE):
                    await waited
        except (DatabaseUnavailable, Busy, TimeoutError):
            return handler
        except Exception as failure:  # noqa: BLE001 - one subscriber's failure is not another's
            self._observer.tell(HookFailed(part="bus", failure=failure))
        return None

    def call(self, handler: Callable[[], Awaitable[None] | None]) -> None:
        """Call one; its failure is told, and is nobody else's."""
        try:
            waited = handler()
        except Exception as failure:  # noqa: BLE001 - one subscriber's failure is not another's
            self._observer.tell(HookFailed(part="bus", failure=failure))
            return
        if isawaitable(waited):
            self._tasks.start(waited)

    async def stop(self) -> None:
        """Cancel what still runs."""
        await self._tasks.stop()
