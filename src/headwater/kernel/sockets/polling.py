"""What waits for a client that polls, until the next request fetches it."""

import asyncio
from base64 import b64decode
from collections.abc import Iterable

from headwater.kernel.sockets.frames import binary_frame, text_frame
from headwater.kernel.sockets.models import SocketSettings

SEPARATOR = "\x1e"
NOOP = "6"
_CLOSE = "1"


class Queue:
    """Engine.IO packets that wait for a client's next request.

    `upgrading` while a WebSocket is being tried: requests are then answered at once. `is_over` once the client has
    fetched everything, and been told that nothing more comes.
    """

    __slots__ = ("_bytes", "_held", "_last_word", "_packets", "_waiting", "is_over", "upgrading")

    def __init__(self) -> None:
        self.upgrading = False
        self._packets: list[str] = []
        self._bytes = 0
        self._last_word: str | None = None
        self.is_over = False
        self._waiting: asyncio.Future[None] | None = None
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

    async def fetch(self) -> str:
        """Everything that waits, as soon as there is something."""
        if not self._packets and self._last_word is None and not self.upgrading:
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        return self.taken()

    def taken(self) -> str:
        """Everything that waits, or else a word for nothing; it waits no more."""
        if not self._packets:
            self.is_over = self._last_word is not None
            return self._last_word or NOOP
        payload = SEPARATOR.join(self._packets)
        self._packets.clear()
        self._bytes = 0
        return payload

    def frames(self) -> bytes:
        """Everything that waits, as WebSocket frames; it waits no more."""
        packets, self._packets = self._packets, []
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
        """Return when the client need not wait."""
        if self._held is not None:
            await self._held.wait()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
