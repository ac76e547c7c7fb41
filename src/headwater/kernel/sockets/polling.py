"""What waits for a client that polls, until the next request fetches it."""

import asyncio
from base64 import b64decode
from collections.abc import Iterable
from contextlib import suppress

from headwater.kernel.sockets.frames import binary_frame, text_frame
from headwater.kernel.sockets.models import SocketSettings

LONGEST_HOLD = 20.0
"""Seconds for which a client that sends too much is made to wait for an answer, at most."""
SEPARATOR = "\x1e"
NOOP = "6"
_CLOSE = "1"


class Queue:
    """Engine.IO packets that wait for a client's next request.

    A packet waits until the answer that holds it is written: a request that is cut before has taken nothing.
    `upgrading` while a WebSocket is being tried: requests are then answered at once. `is_over` once the client has
    fetched everything, and been told that nothing more comes.
    """

    __slots__ = ("_bytes", "_dropped", "_held", "_last_word", "_packets", "_waiting", "is_over", "upgrading")

    def __init__(self) -> None:
        self.upgrading = False
        self._packets: list[str] = []
        self._bytes = 0
        self._dropped = 0
        self._last_word: str | None = None
        self.is_over = False
        self._waiting: asyncio.Future[bool] | None = None
        self._held: asyncio.Event | None = None

    @property
    def is_asked(self) -> bool:
        """Whether a request waits for packets."""
        return self._waiting is not None

    def overflows(self, settings: SocketSettings) -> bool:
        """Whether more waits than may."""
        return self._bytes > settings.write_buffer or len(self._packets) > settings.polling_packets

    def is_behind(self, settings: SocketSettings) -> bool:
        """Whether a quarter of what may wait does."""
        return 4 * self._bytes > settings.write_buffer or 4 * len(self._packets) > settings.polling_packets

    def add(self, packets: Iterable[str]) -> None:
        """Let packets wait, or answer the request that waits for them at the end of the loop's turn."""
        if self._last_word is None:
            for packet in packets:
                self._packets.append(packet)
                self._bytes += len(packet)
            self._wake()

    def end(self, *, silently: bool = False) -> None:
        """Nothing more comes; the client is told so unless it ends `silently`.

        He is told alone: whoever reads a DISCONNECT and a close together believes that the connection broke.
        """
        if self._last_word is None:
            self._last_word = NOOP if silently else _CLOSE
            self.hold(held=False)
            self._wake()

    def hurry(self) -> None:
        """Answer the request that waits, with nothing if there is nothing."""
        self._wake()

    @property
    def has_news(self) -> bool:
        """Whether a request is to be answered now."""
        return bool(self._packets) or self._last_word is not None or self.upgrading

    async def news(self) -> bool:
        """Wait until a request is to be answered; false if whoever asked has left (`leave`) before."""
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            return await self._waiting
        finally:
            self._waiting = None

    def leave(self) -> None:
        """Whoever waits for news is there no more."""
        self._wake(news=False)

    def shown(self) -> tuple[str, int]:
        """Everything that waits, or else a word for nothing; and what to `drop` once that is written."""
        if self._packets:
            return SEPARATOR.join(self._packets), self._dropped + len(self._packets)
        if self._last_word is not None:
            return self._last_word, self._dropped + 1
        return NOOP, self._dropped

    def drop(self, shown: int) -> None:
        """Let what was shown wait no more."""
        count = max(shown - self._dropped, 0)
        written = self._packets[:count]
        del self._packets[:count]
        self._dropped += len(written)
        self._bytes -= sum(map(len, written))
        if len(written) < count:
            self.is_over = True

    def taken(self) -> str:
        """Everything that waits; it waits no more."""
        payload, shown = self.shown()
        self.drop(shown)
        return payload

    def frames(self) -> bytes:
        """Everything that waits, as WebSocket frames; it waits no more."""
        packets, self._packets = self._packets, []
        self._dropped += len(packets)
        self._bytes = 0
        return b"".join(
            binary_frame(b64decode(packet[1:])) if packet.startswith("b") else text_frame(packet.encode())
            for packet in packets
        )

    def hold(self, *, held: bool) -> None:
        """Let the client wait for the answer to what he sends, or wait no more."""
        if held:
            self._held = asyncio.Event()
        elif self._held is not None:
            self._held.set()
            self._held = None

    async def has_room(self) -> None:
        """Return when the client need not wait, or has waited long enough."""
        if self._held is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_HOLD):
                    await self._held.wait()

    def _wake(self, *, news: bool = True) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(news)
