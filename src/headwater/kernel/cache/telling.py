"""What the processes of a house tell each other to forget."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from headwater.kernel.bus import Nodes

TOPIC = "cache"
_MESSAGE_BYTES = 4000
Hear = Callable[[Sequence[str], Sequence[str], str], Awaitable[object] | None]


class _Forgotten(msgspec.Struct, frozen=True, array_like=True):
    node: str
    incarnation: str
    keys: list[str]
    prefixes: list[str] = []


class Telling:
    """Tells keys, or what they begin with, to every live process, and `hear`s those of the others.

    The incarnation names the Redis where they were forgotten already, and is empty where they were not.
    """

    def __init__(self, nodes: Nodes, hear: Hear) -> None:
        self._nodes = nodes
        self._hear = hear
        nodes.answer(TOPIC, self._take)

    async def tell(self, keys: Sequence[str], incarnation: str) -> None:
        """Return once every live process has confirmed; raises as `Nodes.tell_all`."""
        messages = [_Forgotten(self._nodes.id, incarnation, group) for group in _groups(keys)]
        await asyncio.gather(*(self._nodes.tell_all(TOPIC, msgspec.msgpack.encode(each)) for each in messages))

    async def tell_prefixes(self, prefixes: Sequence[str], incarnation: str) -> None:
        """The same of every key that begins with one of these."""
        for group in _groups(prefixes):
            message = _Forgotten(self._nodes.id, incarnation, [], group)
            await self._nodes.tell_all(TOPIC, msgspec.msgpack.encode(message))

    def _take(self, message: bytes) -> Awaitable[object] | None:
        forgotten = msgspec.msgpack.decode(message, type=_Forgotten)
        if forgotten.node == self._nodes.id:
            return None
        return self._hear(forgotten.keys, forgotten.prefixes, forgotten.incarnation)


def _groups(keys: Sequence[str]) -> list[list[str]]:
    """The keys in messages of their size."""
    groups: list[list[str]] = []
    size = _MESSAGE_BYTES
    for key in keys:
        size += len(key.encode()) + 5
        if size > _MESSAGE_BYTES:
            groups.append([])
            size = len(key.encode()) + 5
        groups[-1].append(key)
    return groups
