"""Where a database is, for PostgreSQL's programs."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec


class BackupSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_BACKUP_*: the backups that a house makes of itself."""

    cron: str | None = None
    """When, as five fields: minute, hour, day, month, weekday; unset, only when it is asked to."""
    zone: str = "UTC"
    """The time zone that `cron` is read in, such as Europe/Berlin."""
    folder: Path | None = None
    """Where they lie; unset, in `backups` in the data folder. A folder that all nodes share, if there are several."""
    keep: Annotated[int, msgspec.Meta(ge=1)] = 7
    """How many of those made by the clock are kept; older ones are removed once a newer one is whole."""


class KeptFile(msgspec.Struct, frozen=True, kw_only=True):
    """A backup in the folder; `summed` where its checksum lies beside it, and a restore looks at it."""

    file: Path
    size: int
    made_at: datetime
    summed: bool


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """How PostgreSQL's programs reach a database.

    `database` is a name or an address without its password, which other users of the machine could read in the list of
    processes; it goes with the `environment`. `packaged` where the wheel's own programs fit, because its server runs.
    """

    database: str
    environment: Mapping[str, str]
    packaged: bool
    major: int
