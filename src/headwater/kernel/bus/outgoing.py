"""Messages on their way out: heard here at once, and sent to the others in numbered frames."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import msgspec

from headwater.kernel.bus.frames import join, pack
from headwater.kernel.bus.hearing import Hearing
from headwater.kernel.bus.joining import Joined
from headwater.kernel.ids import new_id


class Outgoing:
    """What one process sends, in frames that name it as their `sender` and count up by one.

    Messages of one loop turn, and those that come while a send is under way, leave together.
    """

    def __init__(self, hearing: Hearing, send: Callable[[list[str]], Awaitable[None]]) -> None:
        self.sender = new_id().hex
        self._hearing = hearing
        self._send = send
        self._serial = 0
        self._waiting = Joined[msgspec.Raw](self._send_joined)

    def publish(self, topic: str, message: bytes) -> Coroutine[Any, Any, None]:
        """Deliver `message` here at once, and return when it is on its way to the others.

        Raises `MessageTooLarge` before anybody has heard it, and what the send raises.
        """
        packed = pack(topic, message)
        self._hearing.deliver(topic, message)
        return self._waiting.add(packed)

    async def stop(self) -> None:
        """Return once nothing waits any more."""
        await self._waiting.stop()

    async def _send_joined(self, messages: list[msgspec.Raw]) -> None:
        payloads = join(self.sender, self._serial, messages)
        self._serial += len(payloads)
        await self._send(payloads)
