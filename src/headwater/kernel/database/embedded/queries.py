"""The SQL of the embedded server's start-up."""

from typing import Any

import asyncpg
from asyncpg import Connection

from headwater.kernel.database.embedded.models import SUPERUSER, Address


async def connect_superuser(address: Address, seconds: float) -> "Connection[Any]":
    """A connection of the superuser to the maintenance database, within `seconds`."""
    return await asyncpg.connect(**address.connect_arguments(SUPERUSER, "postgres"), timeout=seconds, ssl=False)


async def find_cluster_folder(connection: "Connection[Any]") -> str:
    """Where the server on the other end keeps its cluster: an answer, and proof that it is the right server."""
    return await connection.fetchval("select current_setting('data_directory')")
