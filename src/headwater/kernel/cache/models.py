"""How much is remembered, how long loaders are waited for, and what is told of it all."""

from datetime import datetime
from enum import Enum, StrEnum
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
    memory_most_bytes: Annotated[int, msgspec.Meta(ge=0)] = 256 * 1024 * 1024
    """What each process may come to hold, in steps, where lookups are slow or values are pushed out too early."""
    warm_every: Annotated[float, msgspec.Meta(gt=0)] = 300.0
    """Between two times that what is asked for most is loaded ahead."""
    look_every: Annotated[float, msgspec.Meta(gt=0)] = 15.0
    """Between two looks of the monitor."""
    least_lookups: Annotated[int, msgspec.Meta(ge=1)] = 100
    """Of how many lookups the monitor makes a judgement; fewer are left to the next look."""
    least_hit_rate: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.8
    most_memory_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.9
    most_seconds: Annotated[float, msgspec.Meta(gt=0)] = 0.1
    """What all but one in a hundred of the lookups may take that memory could not answer."""


class Missing(Enum):
    """Nothing is remembered, which is another thing than that nothing is there."""

    MISSING = "missing"


MISSING: Final[Literal[Missing.MISSING]] = Missing.MISSING


class AlertKind(StrEnum):
    """What can be wrong with a cache."""

    LOW_HIT_RATE = "low_hit_rate"
    HIGH_MEMORY = "high_memory"
    SLOW_RESPONSE = "slow_response"


class ReactionKind(StrEnum):
    """What the monitor can do about it."""

    LENGTHEN = "lengthen"
    """The family's values hold longer from now on, within what the family allows."""
    WARM = "warm"
    """What is asked for most is loaded ahead, now."""
    WIDEN = "widen"
    """This process may hold more, within the settings."""
    CLEAR_OLD = "clear_old"
    """What holds no more goes from this process' memory, then what was used longest ago."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """A figure beyond its threshold; `family` is empty where it is all of the memory."""

    kind: AlertKind
    family: str
    figure: float
    threshold: float
    since: datetime


class Reaction(msgspec.Struct, frozen=True, kw_only=True):
    """What was done about an alert, and when."""

    at: datetime
    alert: AlertKind
    family: str
    kind: ReactionKind
    told: str


class FamilyFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One family, since this process started; rates are None before there was anything to be found."""

    family: str
    lookups: int
    memory_hits: int
    redis_hits: int
    joined: int
    loads: int
    late: int
    refreshed: int
    evictions: int
    hit_rate: float | None
    """Lookups that found what was remembered, here or in Redis, of all."""
    redis_hit_rate: float | None
    """Of those that memory could not answer and that did not wait for another."""
    entries: int
    bytes: int
    lifetime: float
    """Seconds for which a value holds that is loaded now."""
    p50: float | None
    p99: float | None
    """Seconds of the lookups that memory could not answer, of the latest 512."""


class RedisFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in Redis; figures are None while it is away, or where it does not tell."""

    status: Literal["connected", "away", "off"]
    bytes: int | None = None
    most_bytes: int | None = None
    """What it may take; None where nothing bounds it."""
    keys: dict[str, int] | None = None
    """How many of this cache, by family."""
    complete: bool = True
    """Whether every key of Redis was looked at; of very many, only the first were."""


class CacheFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What a cache knows of itself: this process' memory and lookups, and what lies in Redis."""

    bytes: int
    capacity: int
    entries: int
    families: tuple[FamilyFigures, ...]
    redis: RedisFigures
