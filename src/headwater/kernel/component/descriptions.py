"""What every component tells of itself, gathered."""

from collections.abc import Awaitable, Callable

import msgspec

from headwater.kernel.database import ReadingTransaction
from headwater.kernel.principal import Principal

Describe = Callable[[ReadingTransaction, Principal, None], Awaitable[object]]


class BoundDescription(msgspec.Struct, frozen=True, kw_only=True):
    """A description that can be asked for."""

    name: str
    describe: Describe


class Descriptions:
    """Every description of this house, all of one moment."""

    def __init__(self) -> None:
        self._known: dict[str, Describe] = {}

    def add(self, description: BoundDescription) -> None:
        """From now on this is told too, under its name."""
        self._known[description.name] = description.describe

    async def tell(self, tx: ReadingTransaction, principal: Principal) -> dict[str, object]:
        """What each component tells, by name, in the order they were added."""
        return {name: await describe(tx, principal, None) for name, describe in self._known.items()}
