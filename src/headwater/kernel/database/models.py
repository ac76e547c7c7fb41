"""How the database is reached and how patient the house is with it."""

from typing import Annotated

import msgspec


class DatabaseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_DATABASE_*; times in seconds."""

    url: str | None = None
    """Any PostgreSQL 15+; unset, a PostgreSQL 18 runs inside the data folder."""
    pool_min: int = 2
    pool_max: Annotated[int, msgspec.Meta(ge=1)] = 20
    pool_idle: float = 30.0
    pipelines: Annotated[int, msgspec.Meta(ge=0)] = 4
    """How many connections of each login many quick reads share; all together at most half of `pool_max`."""
    pool_wait: float = 5.0
    """How long a request waits for a free connection before it is told 503."""
    connect_timeout: float = 5.0
    statement_timeout: float = 30.0
    """Of the admin's and the owner's statements."""
    anon_statement_timeout: float = 3.0
    authenticated_statement_timeout: float = 8.0
    app_settings: tuple[str, ...] = ()
    """`name=value`: what the database's own code reads by `current_setting('app.settings.name')`."""
    streams: Annotated[int, msgspec.Meta(ge=0)] = 4
    """How many answers may be read while their readers take them, each on a connection; at most half `pool_max`."""
    stream_seconds: float = 300.0
    """How long one of them may last."""
    retries: Annotated[int, msgspec.Meta(ge=0)] = 5
    """How often a transaction is tried again after a serialization failure or a deadlock."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """On whose behalf a transaction runs, for the audit log."""

    actor: str = "system"
    address: str | None = None


SYSTEM_ORIGIN = Origin()
