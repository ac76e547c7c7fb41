"""Bans: who is kept out, known to every process at once."""

from math import inf

from headwater.kernel.bus import Bus
from headwater.kernel.clock import Clock
from headwater.kernel.database import Transactions
from headwater.kernel.tokens import Tokens
from headwater.platform.identity import queries

CHANNEL = "headwater_user_changed"
_GONE = "gone"


class Bans:
    """Knows who is banned, so that no token stands for him, whoever signed it.

    His sessions end too, but tokens of other issuers and of `HEADWATER_JWT_SECRET` belong to none of ours. Bans are
    rows, told by a trigger through NOTIFY in the transaction that changes them; a process that could not hear reads
    them when it hears again.
    """

    def __init__(self, clock: Clock, tokens: Tokens, bus: Bus) -> None:
        self._clock = clock
        self._tokens = tokens
        self._bus = bus
        self._until: dict[str, float] = {}

    def listen(self, transactions: Transactions) -> None:
        """From now on hear of every ban, and of every user who is gone."""

        async def load() -> None:
            await self.warm(transactions)

        self._bus.listen_raw(CHANNEL, self._hear)
        self._bus.on_gap(load)

    async def warm(self, transactions: Transactions) -> None:
        """Know who is banned."""
        banned = await transactions.reading(queries.list_banned)
        self._until = {user.id: user.until for user in banned}

    def holds(self, user_id: str | None) -> bool:
        """Whether this user is banned now."""
        until = self._until.get(user_id) if user_id is not None else None
        return until is not None and until > self._clock.timestamp()

    def note(self, user_id: str, until: float) -> None:
        """Refuse this user's tokens until a moment, in seconds since 1970; 0 lifts the ban."""
        if until > self._clock.timestamp():
            self._until[user_id] = until
        else:
            self._until.pop(user_id, None)

    def note_gone(self, user_id: str) -> None:
        """Remember nothing of a user who is no more, nor of tokens that stood for him."""
        self._until.pop(user_id, None)
        self._tokens.forget_user(user_id)

    def _hear(self, payload: str) -> None:
        user_id, _, until = payload.partition(" ")
        if until == _GONE:
            self.note_gone(user_id)
        elif until:
            self.note(user_id, inf if until == "Infinity" else float(until))
