"""How long work may take, at no cost to what does not wait."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What the work returns; raises `TimeoutError` once it has waited for so many seconds.

    A timer is set when it first waits: most messages of sockets never do, and `asyncio.timeout` would cost them a tenth
    of their time.
    """
    try:
        waited = work.send(None)
    except StopIteration as done:
        return done.value
    async with asyncio.timeout(seconds):
        return await _Rest(work, waited)


class _Rest(Generic[T]):
    """A coroutine that has begun, and what it waits for."""

    __slots__ = ("_waited", "_work")

    def __init__(self, work: Coroutine[Any, Any, T], waited: object) -> None:
        self._work = work
        self._waited = waited

    def __await__(self) -> Generator[object, Any, T]:
        work, waited = self._work, self._waited
        try:
            while True:
                try:
                    sent = yield waited
                except GeneratorExit:
                    work.close()
                    raise
                except BaseException as failure:  # noqa: BLE001 - a cancellation, for instance: it is the work's
                    waited = work.throw(failure)
                else:
                    waited = work.send(sent)
        except StopIteration as done:
            return done.value
