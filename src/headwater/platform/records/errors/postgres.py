"""What Postgres refuses, by SQLSTATE (contracts/postgrest.md 1.8)."""

from collections.abc import Mapping

import asyncpg

from headwater.platform.records.errors.dialect import RecordsRefusal


class PostgresRefused(RecordsRefusal):
    """Postgres said no: its own SQLSTATE is the code on the wire, and its own words the message."""

    code = "SQLSTATE"
    status = 400
    sentence = "{reason}"

    def __init__(
        self,
        *,
        sqlstate: str,
        reason: str,
        details: str | None = None,
        hint: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(details=details, hint=hint, headers=headers, reason=reason)
        self.sqlstate = sqlstate


class CallerNotPermitted(PostgresRefused):
    """The anon role may not do this, or the token's role is none: sign in (42501, 22023)."""

    status = 401


class RoleNotPermitted(PostgresRefused):
    """The caller's role may not do this (42501, 28, 0L, 0P)."""

    status = 403


class NothingOfThatName(PostgresRefused):
    """A table, function or operator of the statement does not exist (42P01, 42883)."""

    status = 404


class WriteWhileReading(PostgresRefused):
    """A reading request tried to write (25006)."""

    status = 405


class KeyConflict(PostgresRefused):
    """A unique key or a foreign key would be broken (23505, 23503)."""

    status = 409


class StatementFailed(PostgresRefused):
    """Postgres failed in a way that is not the caller's fault."""

    status = 500


class PostgresOverloaded(PostgresRefused):
    """Postgres has no room for this now (53, 57P01, 08)."""

    status = 503


class FormNotMade(PostgresRefused):
    """What would make the wanted form is not in this Postgres (42883)."""

    status = 406


_BY_STATE: dict[str, type[PostgresRefused]] = {
    "21000": StatementFailed,
    "23503": KeyConflict,
    "23505": KeyConflict,
    "25006": WriteWhileReading,
    "42501": RoleNotPermitted,
    "42883": NothingOfThatName,
    "42P01": NothingOfThatName,
    "42P17": StatementFailed,
    "53400": StatementFailed,
    "54001": PostgresRefused,  # a body nested too deep for Postgres' stack is the caller's doing
    "57P01": PostgresOverloaded,
    "P0001": PostgresRefused,
}
_BY_CLASS: dict[str, type[PostgresRefused]] = {
    **dict.fromkeys(("0L", "0P", "28"), RoleNotPermitted),
    **dict.fromkeys(("08", "53"), PostgresOverloaded),
    **dict.fromkeys(
        ("09", "25", "2D", "38", "39", "3B", "40", "54", "55", "57", "58", "F0", "HV", "P0", "XX"), StatementFailed
    ),
}
SIGN_IN = {"WWW-Authenticate": "Bearer"}


INTERNAL = ("53400", "58", "F0", "XX")
"""Where Postgres' own words tell of its insides."""


def refused(error: asyncpg.PostgresError, *, anonymous: bool) -> PostgresRefused:
    """The refusal that tells a caller of this Postgres error (contracts/postgrest.md 1.8).

    `anonymous` where the caller has the anon role: what is forbidden may be allowed after signing in.
    """
    sqlstate = str(getattr(error, "sqlstate", None) or "XX000")
    reason = str(getattr(error, "message", None) or error)
    if sqlstate.startswith(INTERNAL):
        return StatementFailed(sqlstate=sqlstate, reason="Postgres failed to run the statement")
    kind = _kind_of(sqlstate, reason, anonymous=anonymous)
    return kind(
        sqlstate=sqlstate,
        reason=reason,
        details=getattr(error, "detail", None),
        hint=getattr(error, "hint", None),
        headers=SIGN_IN if kind is CallerNotPermitted else None,
    )


def _kind_of(sqlstate: str, reason: str, *, anonymous: bool) -> type[PostgresRefused]:
    if sqlstate == "42501" and anonymous:
        return CallerNotPermitted
    if sqlstate == "42883" and reason.startswith("function xmlagg("):
        return FormNotMade
    if sqlstate == "22023" and reason.startswith("role ") and reason.endswith("does not exist"):
        return CallerNotPermitted
    if sqlstate == "21000" and reason.endswith("requires a WHERE clause"):
        return PostgresRefused
    return _BY_STATE.get(sqlstate) or _BY_CLASS.get(sqlstate[:2], PostgresRefused)
