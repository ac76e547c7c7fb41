"""How much is remembered, and how long loaders are waited for."""

from enum import Enum
from typing import Annotated, Final, Literal

import msgspec


class CacheSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_CACHE_*; times in seconds."""

    memory_bytes: Annotated[int, msgspec.Meta(ge=0)] = 64 * 1024 * 1024
    """What each process may hold itself; 0 leaves everything to Redis."""
    lease_seconds: Annotated[float, msgspec.Meta(gt=0)] = 10.0
    """How long one process alone may load a value; what it loads later than that is given to who asked, not kept."""
    wait_seconds: Annotated[float, msgspec.Meta(ge=0)] = 2.0
    """How long the others wait for it before they load the value themselves."""


class Missing(Enum):
    """Nothing is remembered, which is another thing than that nothing is there."""

    MISSING = "missing"


MISSING: Final[Literal[Missing.MISSING]] = Missing.MISSING
