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
        self._capacity = capacity
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self.weight = 0
        self.find = self._entries.get
        self.touch = self._entries.move_to_end

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, key: str, entry: Entry) -> None:
        """Remember `entry`; what was used longest ago makes room."""
        self.drop(key)
        if entry.weight * 8 > self._capacity:
            return
        self._entries[key] = entry
        self.weight += entry.weight
        while self.weight > self._capacity:
            evicted = self._entries.popitem(last=False)[1]
            self.weight -= evicted.weight
            evicted.counts.evictions += 1

    def drop(self, key: str) -> None:
        """Remember nothing under `key`."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.weight -= entry.weight

    def clear(self) -> None:
        """Remember nothing."""
        self._entries.clear()
        self.weight = 0
