"""The way into our embedded PostgreSQL, so that the peers work on the very same rows."""

import asyncio
from pathlib import Path

import asyncpg

from headwater.kernel.database.embedded import Address, attach
from headwater.kernel.database.embedded.models import SUPERUSER
from headwater.kernel.database.logins import Login


def address_of(folder: Path) -> Address:
    """Where the PostgreSQL of a data folder answers; ends the benchmark when none runs."""
    address = asyncio.run(attach(folder))
    if address is None:
        raise SystemExit(f"no embedded PostgreSQL runs in {folder}")
    return address


def peer_environment(folder: Path, login: Login = Login.AUTHENTICATED) -> dict[str, str]:
    """The PG* variables for a peer: a login that our own server uses, by the same socket."""
    arguments = address_of(folder).connect_arguments(login.value)
    return {
        "PGHOST": arguments["host"],
        "PGPORT": str(arguments["port"]),
        "PGUSER": arguments["user"],
        "PGDATABASE": arguments["database"],
    }


async def run_as_superuser(address: Address, script: str) -> None:
    """Carry out SQL that no login of ours may, beside the databases that are measured."""
    connection = await asyncpg.connect(**address.connect_arguments(SUPERUSER, SUPERUSER))
    try:
        await connection.execute(script)
    finally:
        await connection.close()
