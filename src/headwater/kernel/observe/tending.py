"""What can be observed of who looks after a cache."""

import msgspec


class CacheAlertRaised(msgspec.Struct, frozen=True):
    """A figure of the cache passed its threshold; `alert` is one of kernel.cache.AlertKind, an empty family is all."""

    alert: str
    family: str
    figure: float
    threshold: float


class CacheAlertEnded(msgspec.Struct, frozen=True):
    """The figure is well again, after so many seconds."""

    alert: str
    family: str
    figure: float
    seconds: float


class CacheTended(msgspec.Struct, frozen=True):
    """The house did something about an alert; `reaction` is one of kernel.cache.ReactionKind."""

    alert: str
    family: str
    reaction: str
    told: str
    """What was done, as a sentence with its figures."""


class CacheWarmed(msgspec.Struct, frozen=True):
    """What is asked for most was loaded ahead; `failed` names the parts that could not be."""

    items: int
    seconds: float
    failed: tuple[str, ...]
