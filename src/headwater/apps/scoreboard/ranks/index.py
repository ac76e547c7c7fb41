"""The order-statistics index of one board's season, in the memory of this process."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

import msgspec
from sortedcontainers import SortedList

from headwater.apps.scoreboard.ranks.entry import REVISIONS, user_of

_SHARDS = 64
_MOST_REMEMBERED = 50_000


class _Order(Protocol):
    """What of `SortedList` is used; it comes without types."""

    def __len__(self) -> int: ...

    def add(self, value: int) -> None: ...

    def remove(self, value: int) -> None: ...

    def update(self, iterable: Iterable[int]) -> None: ...

    def bisect_left(self, value: int) -> int: ...

    def islice(self, start: int, stop: int) -> Iterator[int]: ...


class Differences(msgspec.Struct):
    """How entries differed from their rows; see `models.ranks.Comparison`."""

    missing: int = 0
    late: int = 0
    wrong: int = 0


class Index:
    """Entries in the board's order, and by user; an entry is one int (`entry.packed`), its revision in the last bits.

    What is older than what is known of a user changes nothing, also of one who was removed: the latest 50,000 removals
    are remembered. Users lie in 64 dicts, because one that grows past half a million is moved in 40 ms.
    """

    def __init__(self) -> None:
        made: Any = SortedList()
        self._order: _Order = made
        self._entries: list[dict[int, int]] = [{} for _ in range(_SHARDS)]
        self._removed: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._order)

    def put(self, entry: int) -> bool:
        """Let this be its user's entry; False where as much, or something newer, is known."""
        user = user_of(entry)
        if entry & REVISIONS <= self._revision(user):
            return False
        self._replace(user, entry)
        return True

    def remove(self, user: int, revision: int) -> bool:
        """Let the user have no entry; False where as much, or something newer, is known."""
        if revision <= self._revision(user):
            return False
        self._remove(user)
        self._remember_removal(user, revision)
        return True

    def remove_surplus(self, user: int) -> bool:
        """Remove an entry that has no row; whether there was one."""
        entry = self._remove(user)
        if entry is not None:
            self._remember_removal(user, entry & REVISIONS)
        return entry is not None

    def take_in(self, rows: Sequence[int], differences: Differences) -> None:
        """Let the entries be at least as new as these rows, and as they are where the revision is the same."""
        new: list[int] = []
        for row in rows:
            user = user_of(row)
            entries = self._entries[user % _SHARDS]
            known = entries.get(user)
            if known == row:
                continue
            if known is None:
                removed = self._removed.get(user, -1)
                if row & REVISIONS > removed:
                    self._removed.pop(user, None)
                    entries[user] = row
                    new.append(row)
                    differences.missing += 1
                elif row & REVISIONS == removed:
                    self._replace(user, row)
                    differences.wrong += 1
            elif known & REVISIONS == row & REVISIONS:
                self._replace(user, row)
                differences.wrong += 1
            elif known & REVISIONS < row & REVISIONS:
                self._replace(user, row)
                differences.late += 1
        self._order.update(new)

    def rank(self, user: int) -> int | None:
        """How many are before the user, and one; None where he has no entry."""
        entry = self._entries[user % _SHARDS].get(user)
        return None if entry is None else self._order.bisect_left(entry) + 1

    def rank_with(self, user: int, entry: int) -> int:
        """The rank that `entry` would give the user instead of his own."""
        before = self._order.bisect_left(entry)
        own = self._entries[user % _SHARDS].get(user)
        return before + 1 if own is None or own >= entry else before

    def slice(self, start: int, stop: int) -> list[int]:
        """The entries with so many before them, from `start` until before `stop`."""
        return list(self._order.islice(start, stop))

    def shards(self) -> Iterator[set[int]]:
        """The users, in parts of which each is taken at once."""
        for entries in self._entries:
            yield set(entries)

    def _revision(self, user: int) -> int:
        entry = self._entries[user % _SHARDS].get(user)
        return self._removed.get(user, -1) if entry is None else entry & REVISIONS

    def _replace(self, user: int, entry: int) -> None:
        self._remove(user)
        self._removed.pop(user, None)
        self._entries[user % _SHARDS][user] = entry
        self._order.add(entry)

    def _remove(self, user: int) -> int | None:
        entry = self._entries[user % _SHARDS].pop(user, None)
        if entry is not None:
            self._order.remove(entry)
        return entry

    def _remember_removal(self, user: int, revision: int) -> None:
        self._removed.pop(user, None)
        self._removed[user] = revision
        if len(self._removed) > _MOST_REMEMBERED:
            for oldest in list(islice(self._removed, _MOST_REMEMBERED // 100)):
                del self._removed[oldest]


def shard_of(user: int) -> int:
    """Which of `Index.shards` a user is in."""
    return user % _SHARDS
