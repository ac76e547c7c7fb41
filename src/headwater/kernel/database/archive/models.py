"""Where a database is, for PostgreSQL's programs."""

from collections.abc import Mapping

import msgspec


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """How PostgreSQL's programs reach a database.

    `database` is a name or an address without its password, which other users of the machine could read in the list of
    processes; it goes with the `environment`. `packaged` where the wheel's own programs fit, because its server runs.
    """

    database: str
    environment: Mapping[str, str]
    packaged: bool
    major: int
