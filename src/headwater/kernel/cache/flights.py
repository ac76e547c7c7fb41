"""What is being looked up, put or loaded ahead just now, and which of it is to be kept."""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


class Flight:
    """A lookup, a put or a renewal under way; `stale` once its key was forgotten."""

    __slots__ = ("stale", "task")

    def __init__(self) -> None:
        self.stale = False
        self.task: asyncio.Task[Any] | None = None


class Flights:
    """Those of one process, by key; lookups join a flight, but not a renewal, during which the old value answers."""

    def __init__(self) -> None:
        self._boarded: dict[str, Flight] = {}
        self._renewals: dict[str, Flight] = {}
        self._running: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._boarded) + len(self._renewals)

    def __contains__(self, key: str) -> bool:
        return key in self._boarded

    def task(self, key: str) -> asyncio.Task[Any] | None:
        """What a lookup of this key may wait for."""
        flight = self._boarded.get(key)
        return None if flight is None else flight.task

    def board(self, flight: Flight, key: str, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin the work; it runs to its end whoever goes away."""
        task = flight.task = asyncio.create_task(work)
        self._boarded[key] = flight
        self._running.add(task)
        task.add_done_callback(partial(self._land, key, flight))
        return task

    def renew(self, keys: Iterable[str]) -> dict[str, Flight]:
        """A renewal of each key for which nothing is under way."""
        begun = {key: Flight() for key in keys if key not in self._boarded and key not in self._renewals}
        self._renewals |= begun
        return begun

    def end(self, renewals: Mapping[str, Flight]) -> None:
        """These are over."""
        for key, flight in renewals.items():
            if self._renewals.get(key) is flight:
                del self._renewals[key]

    def drop(self, key: str) -> None:
        """Nobody joins what is under way for this key any more, and it is not kept."""
        for flights in (self._boarded, self._renewals):
            flight = flights.pop(key, None)
            if flight is not None:
                flight.stale = True

    def drop_all(self, prefixes: str | tuple[str, ...] = "") -> None:
        """The same for every key that begins so."""
        for key in [key for key in (*self._boarded, *self._renewals) if key.startswith(prefixes)]:
            self.drop(key)

    async def stop(self) -> None:
        """End the lookups that run."""
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _land(self, key: str, flight: Flight, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if self._boarded.get(key) is flight:
            del self._boarded[key]
        if not task.cancelled():
            task.exception()  # whoever waited has it; that nobody did any longer is no news
