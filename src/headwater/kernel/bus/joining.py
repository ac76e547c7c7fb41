"""Sends of one loop turn that leave together."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class _Waiting(NamedTuple, Generic[T]):
    item: T
    sent: asyncio.Future[None]


class Joined(Generic[T]):
    """Collects what is added in one loop turn, and while a send is under way, and sends it at once, in order."""

    def __init__(self, send: Callable[[list[T]], Awaitable[None]]) -> None:
        self._send = send
        self._waiting: list[_Waiting[T]] = []
        self._sending: asyncio.Task[None] | None = None

    async def add(self, item: T) -> None:
        """Return once `item` was sent; raises what the send raised that it was part of."""
        waiting = _Waiting(item, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all())
        await waiting.sent

    async def stop(self) -> None:
        """Return once nothing waits any more."""
        if self._sending is not None:
            await self._sending

    async def _send_all(self) -> None:
        while self._waiting:
            leaving, self._waiting = self._waiting, []
            failure: Exception | None = None
            try:
                await self._send([waiting.item for waiting in leaving])
            except Exception as raised:  # noqa: BLE001 - raised again where each was added
                failure = raised
            for waiting in leaving:
                if waiting.sent.done():
                    continue
                if failure is None:
                    waiting.sent.set_result(None)
                else:
                    waiting.sent.set_exception(failure)
        self._sending = None
