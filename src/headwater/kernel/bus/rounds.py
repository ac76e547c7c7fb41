"""A loop that works when it is woken, and every so often in case nobody woke it."""

import asyncio
from collections.abc import Awaitable, Callable

from headwater.kernel.errors import DatabaseUnavailable
from headwater.kernel.observe import HookFailed, Observer

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0


class Rounds:
    """Repeats `round_` when rung, and at the latest after as many seconds as it returned (None: when rung).

    A round that raises is told as `HookFailed` and repeated after 0.1 s, later each time, at most 5 s, however often
    it is rung. One for which Postgres was away is only repeated: whoever could not reach it has told that, once.
    """

    def __init__(self, part: str, observer: Observer, round_: Callable[[], Awaitable[float | None]]) -> None:
        self._part = part
        self._observer = observer
        self._round = round_
        self._rung = asyncio.Event()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with a round."""
        self._task = asyncio.create_task(self._run())

    def ring(self) -> None:
        """Begin the next round now, or right after the one that runs."""
        self._rung.set()

    async def stop(self, patience: float = 5.0) -> None:
        """Finish the round that runs, for at most `patience` seconds, and begin no other."""
        self._stopping.set()
        self.ring()
        if self._task:
            await asyncio.wait({self._task}, timeout=patience)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._rung.clear()
            try:
                seconds = await self._round()
            except Exception as failure:  # noqa: BLE001 - the loop outlives every failure
                if not isinstance(failure, DatabaseUnavailable):
                    self._observer.tell(HookFailed(part=self._part, failure=failure))
                await _wait(self._stopping, min(_FIRST_PAUSE * 2**failures, _LONGEST_PAUSE))
                failures = min(failures + 1, 10)
            else:
                failures = 0
                await _wait(self._rung, seconds)


async def _wait(event: asyncio.Event, seconds: float | None) -> None:
    """Return when `event` is set, or after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
