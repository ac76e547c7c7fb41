"""The way into our embedded PostgreSQL, so that the peer works on the very same rows."""

import asyncio
from pathlib import Path

from headwater.kernel.database.embedded import attach
from headwater.kernel.database.logins import Login


def peer_environment(folder: Path) -> dict[str, str]:
    """The PG* variables for the peer: the login our own server uses for its users' requests, by the same socket."""
    address = asyncio.run(attach(folder))
    if address is None:
        raise SystemExit(f"no embedded PostgreSQL runs in {folder}")
    arguments = address.connect_arguments(Login.AUTHENTICATED)
    return {
        "PGHOST": arguments["host"],
        "PGPORT": str(arguments["port"]),
        "PGUSER": arguments["user"],
        "PGDATABASE": arguments["database"],
    }
