"""Who receives sockets: the kernel carries frames, the reception says what they mean."""

from collections.abc import Awaitable
from typing import Protocol

from headwater.kernel.errors import Refusal
from headwater.kernel.principal import Principal
from headwater.kernel.sockets.models import (
    Acknowledgement,
    Admission,
    CloseReason,
    Handshake,
    Incoming,
    Resumed,
    Underway,
)
from headwater.kernel.sockets.socket import Socket


class Reception(Protocol):
    """Receives the sockets of a path.

    For one socket, `admit`, `opened`, each `receive` and `closed` come one after the other, never two at a time. What
    is `Underway` is awaited besides, and has its outcome before `closed`.
    """

    async def admit(self, handshake: Handshake) -> Principal | Admission:
        """Who opens this socket, and what he goes on with.

        A refusal ends it: CONNECT_ERROR in Socket.IO, an error and a close code elsewhere.

        A plain socket that is refused for want of credentials is asked again with its first frame as `auth`.
        """
        ...

    def opened(self, socket: Socket, handshake: Handshake, resumed: Resumed | None) -> Awaitable[None] | None:
        """The socket is admitted as `handshake` was, and the client has been told."""
        ...

    async def receive(
        self, socket: Socket, message: Incoming
    ) -> Acknowledgement | Underway[Acknowledgement | None] | None:
        """Carry out a message; its acknowledgement, if there is one. Refusals are for the reception to put in words."""
        ...

    def refused(self, socket: Socket, refusal: Refusal) -> None:
        """A message of an admitted socket was not taken in; tell its client so."""
        ...

    def closed(self, socket: Socket, reason: CloseReason) -> None:
        """The socket is gone, out of every room, and its last message is carried out or dropped."""
        ...
