"""Makes what every Headwater database stands on: the roles, the logins, the grants, the watch over DDL."""

from collections.abc import Mapping

import asyncpg

from headwater.kernel.database import sql
from headwater.kernel.database.connection import Connection
from headwater.kernel.database.errors import BootstrapRefused
from headwater.kernel.database.logins import ROLE_OF_LOGIN, Login


async def ensure_database(connection: Connection, name: str) -> None:
    """Create the roles and the database `name` in an embedded cluster; for its superuser."""
    await connection.execute(sql.BOOTSTRAP_LOCK)
    try:
        await _create_roles(connection, {})
        if not await connection.fetchval(sql.DATABASE_EXISTS, name):
            await connection.execute(sql.create_database(name))
    finally:
        await connection.execute(sql.BOOTSTRAP_UNLOCK)


async def ensure_roles(connection: Connection, passwords: Mapping[Login, str]) -> None:
    """Create the roles and logins alone, and let whoever is connected act for them; see `prepare_database`."""
    await connection.execute(sql.BOOTSTRAP_LOCK)
    try:
        await _create_roles(connection, passwords)
        await _join_roles(connection)
    except asyncpg.InsufficientPrivilegeError as refusal:
        raise BootstrapRefused(reason=refusal.message or str(refusal)) from refusal
    finally:
        await connection.execute(sql.BOOTSTRAP_UNLOCK)


async def prepare_database(connection: Connection, passwords: Mapping[Login, str]) -> None:
    """Create roles, schema `system`, grants and the DDL watch in the connected database; harmless when repeated.

    For a superuser, or for a role with CREATEROLE that owns the database. `passwords` are the logins' (none: peer
    authentication). What only a superuser may do is left out otherwise: BYPASSRLS is then served by policies, and
    the DDL watch by a poll. Raises `BootstrapRefused` where even the necessary is not allowed.
    """
    await connection.execute(sql.BOOTSTRAP_LOCK)
    try:
        await _create_roles(connection, passwords)
        await _join_roles(connection)
        await connection.execute(sql.PREPARE_DATABASE)
        await _try(connection, sql.WATCH_DDL)
    except asyncpg.InsufficientPrivilegeError as refusal:
        raise BootstrapRefused(reason=refusal.message or str(refusal)) from refusal
    finally:
        await connection.execute(sql.BOOTSTRAP_UNLOCK)


async def ddl_is_watched(connection: Connection) -> bool:
    """Whether an event trigger tells of schema changes, so that nobody needs to poll."""
    return bool(await connection.fetchval(sql.DDL_IS_WATCHED))


async def _create_roles(connection: Connection, passwords: Mapping[Login, str]) -> None:
    for role in ROLE_OF_LOGIN.values():
        await connection.execute(sql.create_role(role))
    for login in Login:
        await connection.execute(sql.create_role(login, passwords.get(login), login=True))
    for login in ROLE_OF_LOGIN:
        await connection.execute(sql.grant_role(login))
    if not await connection.fetchval(sql.MAY_BYPASS):
        await _try(connection, sql.LET_ADMIN_BYPASS)


async def _join_roles(connection: Connection) -> None:
    if not await connection.fetchval(sql.IS_SUPERUSER):
        since_16 = connection.get_server_version().major >= 16
        await connection.execute(sql.BECOME_MEMBER_SINCE_16 if since_16 else sql.BECOME_MEMBER)


async def _try(connection: Connection, statement: str) -> None:
    """Do what only a superuser may, if we may."""
    try:
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return
