"""What a bus promises, whoever carries its messages."""

from collections.abc import Awaitable, Callable
from typing import Protocol

Handler = Callable[[bytes], Awaitable[None] | None]
RawHandler = Callable[[str], Awaitable[None] | None]
GapHandler = Callable[[], Awaitable[None] | None]


class MessageTooLarge(ValueError):
    """A message that a bus cannot carry: put the rows in a table and publish what names them."""

    def __init__(self, topic: str, size: int, limit: int) -> None:
        super().__init__(f"A message on {topic!r} takes {size} bytes and the bus carries {limit}: publish a row's id")


class Bus(Protocol):
    """Carries small wake-ups to every process of the house, this one included.

    A handler hears each message once, in the order of its publisher; a message may be lost while a process is cut
    off, and then its `on_gap` callbacks are called. Asynchronous handlers run as supervised tasks.
    """

    @property
    def connected(self) -> bool:
        """Whether other processes can be heard now."""
        ...

    async def start(self) -> None:
        """Begin to listen; raises one of `CONNECTION_LOST` if the carrier cannot be reached."""
        ...

    async def stop(self) -> None:
        """Send what is waiting, then fall silent."""
        ...

    async def publish(self, topic: str, message: bytes = b"") -> None:
        """Deliver `message` here at once, and return when it is on its way to the others.

        Raises `MessageTooLarge`, and `DatabaseUnavailable` or `Busy` if the others could not be told.
        """
        ...

    def subscribe(self, topic: str, handler: Handler) -> Callable[[], None]:
        """From now on `handler` hears every message on `topic`; the result ends that."""
        ...

    def on_gap(self, callback: GapHandler) -> None:
        """Call `callback` whenever messages may have been missed and tables must be read again."""
        ...

    def listen_raw(self, channel: str, handler: RawHandler) -> None:
        """Pass the payload of every Postgres NOTIFY on `channel` to `handler`."""
        ...
