"""Where Redis is and how patient we are with it."""

from typing import Annotated

import msgspec


class RedisSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_REDIS_*: shared cache, limits and messages between nodes; times in seconds."""

    url: str | None = None
    """`redis://`, `rediss://` (TLS), `unix:///path`, `redis+sentinel://host:26379,host:26379/service/0`,
    `redis+cluster://host:6379,host:6379`; `rediss+sentinel` and `rediss+cluster` with TLS. Unset: no Redis is used."""
    prefix: Annotated[str, msgspec.Meta(pattern=r"^[\w.:-]{1,100}$(?!\n)")] = "headwater"
    """What the name of every key and channel begins with: one for each house that shares a Redis."""
    sentinel_password: str | None = None
    """The sentinels' own, if they have one; the one in the URL is Redis' own."""
    connect_timeout: Annotated[float, msgspec.Meta(gt=0)] = 2.0
    answer_timeout: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    """How long a pipeline may take before Redis counts as lost."""
