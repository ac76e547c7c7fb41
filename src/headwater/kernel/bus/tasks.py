"""Background tasks that are kept, whose failures are told, and that end together."""

import asyncio
from collections.abc import Awaitable

from headwater.kernel.observe import HookFailed, Observer


class Tasks:
    """The background tasks of one part of the house."""

    def __init__(self, part: str, observer: Observer) -> None:
        self._part = part
        self._observer = observer
        self._running: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def start(self, work: Awaitable[object]) -> asyncio.Task[None]:
        """Run `work` in the background; its failure becomes a `HookFailed`."""
        task = asyncio.create_task(self._watched(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def stop(self, patience: float = 0.0) -> None:
        """Let what runs come to its end for `patience` seconds, then cancel it and wait until it is gone."""
        running = set(self._running)
        if running and patience > 0:
            _, running = await asyncio.wait(running, timeout=patience)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _watched(self, work: Awaitable[object]) -> None:
        try:
            await work
        except Exception as failure:  # noqa: BLE001 - whatever it is, it is told
            self._observer.tell(HookFailed(part=self._part, failure=failure))
