"""Every subscription, on one connection that is opened again whenever it is lost."""

import asyncio
import math
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any

from headwater.kernel.observe import HookFailed, Observer, RedisLost, RedisReturned

Hearer = Callable[[bytes], None]
_PROBE_EVERY = 1.0
_PROBE_TIMEOUT = 3.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0


class Silent(ConnectionError):
    """The connection is open, and nothing comes, not even the answer to a probe."""


class Listening:
    """Listens from the first subscription on; `open_subscriber` makes one of redis-py's `PubSub`.

    A connection that was lost, or gives no sign of life for 3 s, is opened again: after 0.1 s, later each time, at
    most 5 s.
    """

    def __init__(self, open_subscriber: Callable[[], Any], observer: Observer) -> None:
        self._open_subscriber = open_subscriber
        self._observer = observer
        self._hearers: dict[str, list[Hearer]] = defaultdict(list)
        self._gap_callbacks: list[Callable[[], None]] = []
        self._subscriber: Any = None
        self._pending: set[str] = set()
        self._changed = asyncio.Event()
        self._hurried = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        self._lost_at: float | None = None
        self.last_heard = -math.inf

    @property
    def confirmed(self) -> bool:
        """Whether Redis has confirmed every subscription."""
        return self._subscriber is not None and not self._pending

    async def add(self, channel: str, hearer: Hearer) -> Callable[[], None]:
        """See `Redis.subscribe`."""
        self._hearers[channel].append(hearer)
        if self._keeping is None:
            self._pending.add(channel)
            self._keeping = asyncio.create_task(self._keep())
        elif len(self._hearers[channel]) == 1:
            self._pending.add(channel)
            if self._subscriber is not None:
                with suppress(Exception):  # whoever reads notices, opens another connection and subscribes there
                    await self._subscriber.subscribe(channel)
        while channel in self._pending and self._lost_at is None:
            self._changed.clear()
            await self._changed.wait()
        return partial(self._hearers[channel].remove, hearer)

    def on_gap(self, callback: Callable[[], None]) -> None:
        """See `Redis.on_gap`."""
        self._gap_callbacks.append(callback)

    def hurry(self) -> None:
        """Try again now, if the connection is lost."""
        self._hurried.set()

    async def stop(self) -> None:
        """Close the connection and hear no more."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await self._close()

    async def _keep(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._open()
                while self._pending:
                    await self._hear()
                if self._lost_at is not None:
                    self._note_return()
                pause = _FIRST_PAUSE
                while True:
                    await self._hear()
            except Exception as failure:  # noqa: BLE001 - whatever it is, this connection is of no more use
                await self._note_loss(failure)
            self._hurried.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._hurried.wait()
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _open(self) -> None:
        subscriber = self._open_subscriber()
        self._pending = set(self._hearers)
        self._subscriber = subscriber
        self.last_heard = monotonic()
        await subscriber.subscribe(*self._hearers)

    async def _hear(self) -> None:
        """Take one message, or notice that none comes."""
        message = await self._subscriber.get_message(timeout=_PROBE_EVERY)
        if message is None:
            if monotonic() - self.last_heard > _PROBE_TIMEOUT:
                raise Silent
            await self._subscriber.ping()
            return
        self.last_heard = monotonic()
        if message["type"] == "message":
            for hearer in tuple(self._hearers[message["channel"].decode()]):
                try:
                    hearer(message["data"])
                except Exception as failure:  # noqa: BLE001 - one hearer's failure is not another's
                    self._observer.tell(HookFailed(part="redis", failure=failure))
        elif message["type"] == "subscribe":
            self._pending.discard(message["channel"].decode())
            self._changed.set()

    async def _note_loss(self, failure: Exception) -> None:
        await self._close()
        if self._lost_at is None:
            self._lost_at = monotonic()
            self._changed.set()
            self._observer.tell(RedisLost(reason=f"{type(failure).__name__}: {failure}", part="subscriptions"))

    def _note_return(self) -> None:
        assert self._lost_at is not None  # noqa: S101 - for the type checker
        self._observer.tell(RedisReturned(seconds=monotonic() - self._lost_at, part="subscriptions"))
        self._lost_at = None
        for callback in self._gap_callbacks:
            callback()

    async def _close(self) -> None:
        subscriber, self._subscriber = self._subscriber, None
        if subscriber is not None:
            with suppress(Exception):
                await subscriber.aclose()
