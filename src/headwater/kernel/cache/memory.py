"""What this process remembers itself: bounded by bytes, and the one used longest ago goes first."""

from collections import OrderedDict
from typing import Any

from headwater.kernel.observe import CacheCounts


class Entry:
    """A remembered value, when it was remembered and until when it holds, in seconds since 1970."""

    __slots__ = ("counts", "since", "until", "value", "weight")

    def __init__(self, value: Any, since: float, until: float, weight: int, counts: CacheCounts) -> None:
        self.value = value
        self.since = since
        self.until = until
        self.weight = weight
        self.counts = counts


class Memory:
    """Entries by key, at most `capacity` bytes of them; none that alone takes more than an eighth of that."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self.weight = 0
        self.find = self._entries.get
        self.touch = self._entries.move_to_end

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, key: str, entry: Entry) -> None:
        """Remember `entry`; what was used longest ago makes room."""
        self.drop(key)
        if entry.weight * 8 > self.capacity:
            return
        self._entries[key] = entry
        self._weigh(entry, 1)
        while self.weight > self.capacity:
            self._evict()

    def drop(self, key: str) -> None:
        """Remember nothing under `key`."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._weigh(entry, -1)

    def drop_all(self, prefixes: tuple[str, ...]) -> set[str]:
        """Remember nothing under keys that begin so; the keys there were."""
        gone = {key for key in self._entries if key.startswith(prefixes)}
        for key in gone:
            self.drop(key)
        return gone

    def clear(self) -> None:
        """Remember nothing."""
        for entry in self._entries.values():
            entry.counts.entries = entry.counts.weight = 0
        self._entries.clear()
        self.weight = 0

    def clear_old(self, now: float, share: float) -> int:
        """Make room until `share` of the capacity is taken; how many entries went.

        Those that hold no more go first, all of them, then what was used longest ago.
        """
        before = len(self._entries)
        for key in [key for key, entry in self._entries.items() if entry.until <= now]:
            self.drop(key)
        while self.weight > share * self.capacity:
            self._evict()
        return before - len(self._entries)

    def _evict(self) -> None:
        entry = self._entries.popitem(last=False)[1]
        self._weigh(entry, -1)
        entry.counts.evictions += 1

    def _weigh(self, entry: Entry, sign: int) -> None:
        self.weight += sign * entry.weight
        entry.counts.weight += sign * entry.weight
        entry.counts.entries += sign
