"""What the records dialect refuses; `code` is PostgREST's word for it, so that its clients understand."""

from collections.abc import Mapping

import asyncpg

from headwater.kernel.errors import Refusal


class RecordsRefusal(Refusal):
    """A refusal in the dialect's words; `details` and `hint` go into its body beside code and message."""

    def __init__(
        self,
        *,
        details: object = None,
        hint: str | None = None,
        headers: Mapping[str, str] | None = None,
        **facts: object,
    ) -> None:
        super().__init__(headers=headers, next_actions=None, **facts)
        self.details = details
        self.hint = hint


class UnreadableQuery(RecordsRefusal):
    """A part of the query string breaks the grammar."""

    code = "PGRST100"
    status = 400
    sentence = '"failed to parse {what} ({text})" (line 1, column {column})'


class UnreadableBody(RecordsRefusal):
    """The body is not what the method needs."""

    code = "PGRST102"
    status = 400
    sentence = "{reason}"


class UnservableRange(RecordsRefusal):
    """The asked range lies outside the rows, or is none."""

    code = "PGRST103"
    status = 416
    sentence = "Requested range not satisfiable"


class PutNeedsKey(RecordsRefusal):
    """PUT replaces the one row its filters name by the whole primary key."""

    code = "PGRST105"
    status = 405
    sentence = "Filters must include all and only primary key columns with 'eq' operators"


class UnknownSchema(RecordsRefusal):
    """The profile names a schema that is not served."""

    code = "PGRST106"
    status = 406
    sentence = "Invalid schema: {schema}"


class NoMediaType(RecordsRefusal):
    """Nothing the client accepts can be made here."""

    code = "PGRST107"
    status = 406
    sentence = "None of these media types are available: {accepted}"


class NotEmbedded(RecordsRefusal):
    """A filter, order or limit speaks of a relation that the select does not embed."""

    code = "PGRST108"
    status = 400
    sentence = "'{relation}' is not an embedded resource in this request"


class PutWithLimit(RecordsRefusal):
    """PUT is about one row, so a limit or an offset makes no sense."""

    code = "PGRST114"
    status = 400
    sentence = "limit/offset querystring parameters are not allowed for PUT"


class PutKeyMismatch(RecordsRefusal):
    """The body of a PUT names another row than its filters."""

    code = "PGRST115"
    status = 400
    sentence = "Payload values do not match URL in primary key column(s)"


class NotOneRow(RecordsRefusal):
    """Exactly one row was wanted."""

    code = "PGRST116"
    status = 406
    sentence = "Cannot coerce the result to a single JSON object"


class WrongTableMethod(RecordsRefusal):
    """Tables know no such method."""

    code = "PGRST117"
    status = 405
    sentence = "Unsupported HTTP method: {method}"


class UnknownPreferences(RecordsRefusal):
    """Strict handling was preferred, and there is a preference nobody knows."""

    code = "PGRST122"
    status = 400
    sentence = "Invalid preferences given with handling=strict"


class TooManyAffected(RecordsRefusal):
    """More rows would change than `max-affected` allows; none has."""

    code = "PGRST124"
    status = 400
    sentence = "Query result exceeds max-affected preference constraint"


class UnknownPath(RecordsRefusal):
    """The path is too deep."""

    code = "PGRST125"
    status = 404
    sentence = "Invalid path specified in request URL"


class NotImplementedHere(RecordsRefusal):
    """The dialect has this feature, and this version does not."""

    code = "PGRST127"
    status = 400
    sentence = "Feature not implemented"


class UnknownColumn(RecordsRefusal):
    """A column that the body or `columns` names is not in the table."""

    code = "PGRST204"
    status = 400
    sentence = "Could not find the '{column}' column of '{relation}' in the schema cache"


class UnknownRelation(RecordsRefusal):
    """No table or view of that name is served."""

    code = "PGRST205"
    status = 404
    sentence = "Could not find the table '{schema}.{relation}' in the schema cache"


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
    if sqlstate == "22023" and reason.startswith("role ") and reason.endswith("does not exist"):
        return CallerNotPermitted
    if sqlstate == "21000" and reason.endswith("requires a WHERE clause"):
        return PostgresRefused
    return _BY_STATE.get(sqlstate) or _BY_CLASS.get(sqlstate[:2], PostgresRefused)
