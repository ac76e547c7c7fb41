"""Credentials that are good no longer, told to every process of the house before whoever ended them is answered."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from inspect import isawaitable

import msgspec

from headwater.kernel.bus.nodes import Nodes

TOPIC = "revoked"
_PATIENCE = 0.5
_MOST = 100
"""Ids in one message, so that it fits a NOTIFY."""


class Revoked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What lets nobody in any more: these sessions' tokens, these users' tokens, keys that were changed."""

    sessions: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    keys: bool = False


class Revocations:
    """Tells of revoked credentials, and lets whoever keeps a caller admitted act on it.

    The processes act one handler after the other, in the order they were added: who knows what is good comes before who
    asks him again.
    """

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._handlers: list[Callable[[Revoked], Awaitable[None] | None]] = []
        nodes.answer(TOPIC, self._hear)

    @property
    def in_doubt(self) -> bool:
        """Whether something may have been revoked that this process has not heard of; see `Nodes.cut_off`."""
        return self._nodes.cut_off

    async def catch_up(self) -> None:
        """Return once there is no doubt any more, or after half a second, because more cannot be known for now."""
        await self._nodes.catch_up(_PATIENCE)

    def add(self, handler: Callable[[Revoked], Awaitable[None] | None]) -> None:
        """From now on `handler` acts on what is revoked, here or elsewhere; see `Nodes.answer`."""
        self._handlers.append(handler)

    async def tell(self, revoked: Revoked) -> None:
        """Return once every live process has acted on it, after a silence at most; see `Nodes.tell_all`."""
        parts = _parts(revoked)
        await asyncio.gather(*(self._nodes.tell_all(TOPIC, msgspec.json.encode(part)) for part in parts))

    async def _hear(self, message: bytes) -> None:
        revoked = msgspec.json.decode(message, type=Revoked)
        for handler in tuple(self._handlers):
            waited = handler(revoked)
            if isawaitable(waited):
                await waited


def _parts(revoked: Revoked) -> list[Revoked]:
    return [
        *(Revoked(sessions=part) for part in _chunks(revoked.sessions)),
        *(Revoked(users=part) for part in _chunks(revoked.users)),
        *([Revoked(keys=True)] if revoked.keys else []),
    ]


def _chunks(ids: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(ids[start : start + _MOST]) for start in range(0, len(ids), _MOST)]
