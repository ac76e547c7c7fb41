"""A Lua script that Redis carries out as one step."""

from collections.abc import Awaitable, Sequence
from hashlib import sha1
from typing import Any, Protocol

from redis.exceptions import NoScriptError


class Caller(Protocol):
    """Whoever can call Redis."""

    def call(self, *arguments: str | bytes | float) -> Awaitable[Any]:
        """The answer to one command."""
        ...


class Script:
    """A script known to Redis by its digest; one that Redis has forgotten is sent again as a whole.

    In a cluster all its keys must share a slot: put the part they share into braces.
    """

    def __init__(self, caller: Caller, text: str) -> None:
        self._caller = caller
        self._text = text
        self._digest = sha1(text.encode(), usedforsecurity=False).hexdigest()  # the name Redis gives it

    async def run(self, keys: Sequence[str], *arguments: str | bytes | float) -> Any:
        """What the script returns for KEYS and ARGV; raises as `Redis.call` does."""
        try:
            return await self._caller.call("EVALSHA", self._digest, len(keys), *keys, *arguments)
        except NoScriptError:
            return await self._caller.call("EVAL", self._text, len(keys), *keys, *arguments)
