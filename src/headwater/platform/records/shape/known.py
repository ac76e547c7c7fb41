"""The shapes seen lately, and the statements made for them."""

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class KnownShapes(Generic[T]):
    """A bounded memory; what nobody has asked for longest goes first.

    A new catalog version empties it, because a statement is only right for the catalog it was planned with.
    """

    def __init__(self) -> None:
        self._version = 0
        self._known: dict[Hashable, T] = {}
        self._crowded = 0

    def __len__(self) -> int:
        return len(self._known)

    def find(self, version: int, shape: Hashable) -> T | None:
        """What was made for the shape under this catalog version, or None."""
        if version != self._version:
            if version > self._version:
                self._known.clear()
                self._version = version
            return None
        if len(self._known) < self._crowded:  # nothing is about to go: the order does not matter yet
            return self._known.get(shape)
        made = self._known.pop(shape, None)
        if made is not None:
            self._known[shape] = made
        return made

    def keep(self, version: int, shape: Hashable, made: T, most: int) -> None:
        """Remember what was made, unless the catalog has moved on since; `most` shapes are remembered."""
        if version != self._version:
            return
        self._crowded = most // 2
        while len(self._known) >= most:
            del self._known[next(iter(self._known))]
        self._known[shape] = made
