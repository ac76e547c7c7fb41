"""Messages that are not for everybody who hears their channel."""

from collections.abc import Callable, Sequence
from typing import Protocol

from headwater.kernel.database import Transactions
from headwater.kernel.principal import Principal
from headwater.kernel.sockets import Packet
from headwater.platform.realtime.delivery.subscription import Subscription
from headwater.platform.realtime.models import LoggedMessage

Send = Callable[[], int]
"""Tells a message to those who may have it; how many they are."""


class Diversion(Protocol):
    """Decides who gets which part of the messages of certain channels."""

    def takes(self, channel: str) -> bool:
        """Whether the messages of a channel are its business."""
        ...

    async def admit(self, transactions: Transactions, principal: Principal, channel: str) -> None:
        """Return if the principal may hear a channel; raises the refusal if not."""
        ...

    async def prepare(self, messages: Sequence[LoggedMessage]) -> Sequence[Send]:
        """What tells each of these messages, to be called in its turn."""
        ...

    async def prepare_for(
        self, subscription: Subscription, messages: Sequence[LoggedMessage]
    ) -> Sequence[Packet | None]:
        """What one listener gets of each of these messages."""
        ...
