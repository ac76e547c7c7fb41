"""One connection: how it is opened, and which failures mean that it is gone."""

from typing import TYPE_CHECKING, Any

import asyncpg

from headwater.kernel.database.logins import ROLE_OF_LOGIN, Login
from headwater.kernel.database.models import DatabaseSettings

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection

_UNREACHABLE = (OSError, TimeoutError)
_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InternalClientError,  # a backend that ended between two statements can leave asyncpg in no known state
)
CONNECTION_LOST = (*_UNREACHABLE, *_GONE)


class Json(bytes):
    """A value of type json, as the bytes of its text: so Postgres' JSON reaches the wire untouched."""


def is_lost(connection: Connection, failure: BaseException) -> bool:
    """Whether `failure` means that the connection is gone.

    asyncpg says InterfaceError also for plain misuse, and an OSError may be the work's own: those count only where the
    connection is closed.
    """
    return isinstance(failure, _GONE) or (
        isinstance(failure, (*_UNREACHABLE, asyncpg.InterfaceError)) and connection.is_closed()
    )


def session_settings(login: Login, settings: DatabaseSettings) -> dict[str, str]:
    """What every connection of a login starts with, and falls back to at RESET.

    The role is a start-up setting: RESET ROLE returns to it, and the login has no rights without it. What a
    request says of itself starts as `{}` or empty: after a transaction-local setting ends `current_setting` gives an
    empty text, which is no JSON, and the planner may look before a statement has set it.
    """
    seconds = {
        Login.ANON: settings.anon_statement_timeout,
        Login.AUTHENTICATED: settings.authenticated_statement_timeout,
    }.get(login, settings.statement_timeout)
    started = {
        "application_name": "headwater",
        "timezone": "UTC",
        "standard_conforming_strings": "on",
        "statement_timeout": str(int(seconds * 1000)),
        "idle_in_transaction_session_timeout": str(int(settings.statement_timeout * 2000)),
        "request.jwt.claims": "{}",
        "request.headers": "{}",
        "request.cookies": "{}",
        "request.method": "",
        "request.path": "",
        "search_path": "public",
    }
    for setting in settings.app_settings:
        name, _, value = setting.partition("=")
        started[f"app.settings.{name.removeprefix('app.settings.')}"] = value
    if role := ROLE_OF_LOGIN.get(login):
        started["role"] = role
    return started


def _octets(json: str | bytes) -> bytes:
    return json.encode() if isinstance(json, str) else json


async def connect(address: dict[str, Any], login: Login, settings: DatabaseSettings) -> Connection:
    """Open a connection of `login`.

    `address` holds asyncpg's keyword arguments for this login. A value of type json comes as `Json`. Raises one of
    `CONNECTION_LOST` if it cannot be had.
    """
    return await connect_session(address, session_settings(login, settings), settings.connect_timeout)


async def connect_session(address: dict[str, Any], started: dict[str, str], patience: float) -> Connection:
    """Open a connection whose session starts with these settings; see `connect`."""
    connection = await asyncpg.connect(
        **address,
        timeout=patience,
        server_settings=started,
        statement_cache_size=1000,
        max_cached_statement_lifetime=0,
    )
    try:
        await connection.set_type_codec("json", schema="pg_catalog", encoder=_octets, decoder=Json, format="binary")
    except BaseException:
        connection.terminate()
        raise
    return connection
