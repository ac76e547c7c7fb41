"""Values of one kind under keys of one kind."""

from hashlib import blake2b
from typing import Any, Generic, TypeVar, cast

import msgspec

from headwater.kernel.models import CacheKey

T = TypeVar("T")
_LONGEST_NAME = 200
_CHANGEABLE = (list, dict, set, bytearray)
_OVERHEAD = 400
"""Bytes that an entry takes besides its value: its key, its place in two tables, the object's head."""
_UNPACKED = 5
"""How many times as large a value is in memory as encoded, at most for what is usual: measured in test_memory.py."""


class CacheFamily(Generic[T]):
    """Values of type `kind` that hold for `ttl` seconds; that nothing is there holds for `negative_ttl`, or not at all.

    Where whoever changes a value forgets it, it may hold for longer than `ttl` if too few lookups find one: up to
    `longest_ttl`. Without that it never does, because others rely on it that a change is seen in time.
    `kind` cannot be changed by who gets a value, because everybody gets the same one: bytes, a text, a number, a
    tuple, a frozen Struct. Its name begins its keys and labels its metrics. Raises `ValueError` for what cannot be.
    """

    __slots__ = ("_decoder", "_encoder", "_prefix", "kind", "longest_ttl", "name", "negative_ttl", "ttl")

    def __init__(
        self,
        name: str,
        kind: type[T],
        *,
        ttl: float,
        negative_ttl: float | None = None,
        longest_ttl: float | None = None,
    ) -> None:
        if not name.replace("_", "").isalnum():
            raise ValueError(f"{name!r} is no name of a family: letters, digits and _ are")
        origin = getattr(kind, "__origin__", kind)
        if origin in _CHANGEABLE or (issubclass(origin, msgspec.Struct) and not origin.__struct_config__.frozen):
            raise ValueError(f"{kind!r} can be changed by whoever gets it, and everybody gets the same one")
        self.name = name
        self.kind = kind
        self.ttl = ttl
        self.longest_ttl = max(ttl, longest_ttl or ttl)
        self.negative_ttl = negative_ttl
        self._prefix = f"{name}:"
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(kind)

    def key(self, name: str) -> CacheKey:
        """The whole key of what is called `name` in this family, for `tx.forget`; a long name is digested."""
        if len(name) > _LONGEST_NAME:
            name = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()
        return cast("CacheKey", self._prefix + name)

    @property
    def prefix(self) -> str:
        """What every key of this family begins with, and no other's."""
        return self._prefix

    def encode(self, value: T) -> bytes:
        """A value as it lies in Redis; raises `TypeError` for what is none of `kind`'s sort."""
        return cast("bytes", value) if self.kind is bytes else self._encoder.encode(value)

    def decode(self, encoded: bytes) -> T:
        """The value; raises `msgspec.DecodeError` for what another version of the house encoded differently."""
        return cast("T", encoded) if self.kind is bytes else self._decoder.decode(encoded)

    def weigh(self, encoded: bytes) -> int:
        """About how many bytes of memory the value takes that is `encoded` so."""
        return _OVERHEAD + len(encoded) * (1 if self.kind is bytes else _UNPACKED)


AnyFamily = CacheFamily[Any]
