"""The policy: how people come in here, known to every process at once."""

import msgspec

from headwater.kernel.bus import Bus
from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.ids import new_id
from headwater.platform.identity import queries
from headwater.platform.identity.models import AuthConfig, ConfigRow, IdentitySettings

CHANNEL = "headwater_auth_config_changed"
_DECIDED = (
    "password_min_length",
    "require_number",
    "require_lowercase",
    "require_uppercase",
    "require_special_char",
    "disable_signup",
)
"""Where the admin has said nothing, the environment decides."""


class Policy:
    """Knows the configuration from memory; a trigger tells every process of a change in the transaction that makes it.

    A process that could not hear reads it when it hears again.
    """

    def __init__(self, settings: IdentitySettings, bus: Bus) -> None:
        self._settings = settings
        self._bus = bus
        self._asked = 0
        self._answered = 0
        self._current: AuthConfig | None = None

    @property
    def current(self) -> AuthConfig:
        """The configuration as it is now; known once the house is warm."""
        assert self._current is not None, "asked before it was warm"  # noqa: S101 - a bug of whoever asks
        return self._current

    async def warm(self, transactions: Transactions) -> None:
        """Have a configuration, know it, and hear of every change of it."""

        async def hear(_payload: str = "") -> None:
            await self.load(transactions)

        if self._current is None:
            self._bus.listen_raw(CHANNEL, hear)
            self._bus.on_gap(hear)
        await transactions.writing(_ensure)
        await self.load(transactions)

    async def load(self, transactions: Transactions) -> None:
        """Know the configuration as it is committed now."""
        self._asked = asked = self._asked + 1
        current = await transactions.reading(self.read)
        if asked > self._answered:  # else one that asked later has been answered first
            self._answered = asked
            self._current = current

    async def read(self, tx: ReadingTransaction) -> AuthConfig:
        """The configuration as this transaction sees it."""
        row = await queries.find_config(tx)
        assert row is not None, "the row is made at the start"  # noqa: S101 - a bug, or somebody's delete
        return self._effective(row)

    def _effective(self, row: ConfigRow) -> AuthConfig:
        said = msgspec.structs.asdict(row)
        decided = {name: getattr(self._settings, name) for name in _DECIDED if said[name] is None}
        return AuthConfig(**{**said, **decided})


async def _ensure(tx: WritingTransaction) -> None:
    await queries.add_config(tx, new_id())
