"""Connections of the authenticator, each pinned to the role of its requests."""

from typing import Any

import asyncpg

from headwater.boot.rest.errors import RestDatabaseUnreachable, RoleNotGranted, UnknownRole
from headwater.boot.rest.queries import find_role_settings
from headwater.boot.rest.settings import RestOptions
from headwater.kernel.database import CONNECTION_LOST, Connection, connect_session
from headwater.kernel.principal import Principal

AUTHENTICATOR = ""
"""The key of connections as the login itself, pinned to nothing; no role has an empty name."""
_NO_ROLE = "none"
"""What Postgres reads as no role at all, and so as the authenticator."""
_OURS = frozenset({"role", "search_path"})
_PATIENCE = 5.0


def key_of(principal: Principal | None) -> str:
    """Whose connections a principal's work uses: those of his role, whichever it is."""
    return AUTHENTICATOR if principal is None else principal.role


class Roles:
    """Opens connections by `PGRST_DB_URI`, with the role in the session's start.

    A role's own settings (`alter role … set`) hold from the session's start too, as if it had logged in: they are read
    over each new connection, which is opened once more where they are not those it has.
    """

    def __init__(self, settings: RestOptions) -> None:
        self._address: dict[str, Any] = {"dsn": settings.db_uri}
        self._started = {
            "application_name": "headwater rest",
            "standard_conforming_strings": "on",
            "request.jwt.claims": "{}",
            "request.headers": "{}",
            "request.cookies": "{}",
            "request.method": "",
            "request.path": "",
            "search_path": "public",
            **dict(settings.app_settings),
        }
        self._settings_of: dict[str, dict[str, str]] = {}

    async def open(self, key: str) -> Connection:
        """A connection pinned to a role, or of the authenticator.

        Raises `UnknownRole`, `RoleNotGranted`, and one of `CONNECTION_LOST` or Postgres' error if none can be had.
        """
        if key == AUTHENTICATOR:
            return await connect_session(self._address, self._started, _PATIENCE)
        if key == _NO_ROLE or "\0" in key:
            raise UnknownRole(role=key, headers={"WWW-Authenticate": "Bearer"})
        known = self._settings_of.get(key, {})
        connection = await self._pinned(key, known)
        try:
            found = {name: value for name, value in (await find_role_settings(connection)).items() if name not in _OURS}
        except BaseException:
            connection.terminate()
            raise
        if found == known:
            return connection
        await connection.close(timeout=_PATIENCE)
        connection = await self._pinned(key, found)
        self._settings_of[key] = found
        return connection

    async def _pinned(self, role: str, settings: dict[str, str]) -> Connection:
        try:
            return await connect_session(self._address, {**self._started, **settings, "role": role}, _PATIENCE)
        except asyncpg.InvalidParameterValueError as failure:
            raise UnknownRole(role=role, headers={"WWW-Authenticate": "Bearer"}) from failure
        except asyncpg.InsufficientPrivilegeError as failure:
            raise RoleNotGranted(role=role) from failure

    async def must_be_reached(self) -> None:
        """Raises `RestDatabaseUnreachable`, whose sentence tells nothing of the URI."""
        try:
            connection = await self.open(AUTHENTICATOR)
        except TimeoutError as failure:
            raise RestDatabaseUnreachable(reason=f"no answer within {_PATIENCE:g} s") from failure
        except (*CONNECTION_LOST, asyncpg.PostgresError) as failure:
            raise RestDatabaseUnreachable(reason=str(failure).partition("\n")[0]) from failure
        except ValueError as failure:  # asyncpg's own would repeat what it could not read, and a password may be in it
            raise RestDatabaseUnreachable(
                reason="it must read postgresql://user:password@host:5432/database"
            ) from failure
        await connection.close(timeout=_PATIENCE)
