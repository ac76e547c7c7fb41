"""What Postgres says, in the platform's words."""

import asyncpg

from headwater.kernel.errors import DatabaseUnavailable, Refusal, TransactionConflict


class DuplicateRow(Refusal):
    """A unique key would be broken (23505)."""

    code = "DATABASE_DUPLICATE"
    status = 409
    sentence = "{reason}"


class ConstraintViolated(Refusal):
    """A foreign key, check or exclusion constraint would be broken (23503, 23514, 23P01)."""

    code = "DATABASE_CONSTRAINT_VIOLATION"
    status = 400
    sentence = "{reason}"


class ValueMissing(Refusal):
    """A column that must have a value has none (23502)."""

    code = "MISSING_FIELD"
    status = 400
    sentence = "{reason}"


class InvalidStatement(Refusal):
    """Postgres cannot do what the statement asks; the sentence carries its SQLSTATE."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "{reason} (SQLSTATE {sqlstate})"


class NotPermitted(Refusal):
    """The role may not do this (42501)."""

    code = "FORBIDDEN"
    status = 403
    sentence = "{reason}"


class StatementTimeout(Refusal):
    """The statement ran past the role's time limit and was undone (57014)."""

    code = "QUERY_TIMEOUT"
    status = 504
    sentence = "The query took too long and was cancelled"


class CommitUnknown(Refusal):
    """The connection was lost during COMMIT: the change is either wholly there or wholly not."""

    code = "COMMIT_UNKNOWN"
    status = 503
    sentence = "The connection to the database was lost while committing: look before you try again"


class BootstrapRefused(Refusal):
    """The database's user may not make the roles and grants that Headwater stands on."""

    code = "DATABASE_BOOTSTRAP_REFUSED"
    status = 500
    sentence = "HEADWATER_DATABASE_URL needs a superuser, or a role with CREATEROLE that owns the database: {reason}"


class MigrationChanged(Refusal):
    """A migration file was edited after it was applied."""

    code = "MIGRATION_CHANGED"
    status = 500
    sentence = "Migration {component}/{name} was changed after it was applied: restore the file and add a new one"


class MigrationMissing(Refusal):
    """The database knows a migration that this code does not: it is newer."""

    code = "MIGRATION_MISSING"
    status = 500
    sentence = "The database has migration {component}/{name}, which this version of Headwater does not know: upgrade"


_BY_STATE: dict[str, type[Refusal]] = {
    "23505": DuplicateRow,
    "23503": ConstraintViolated,
    "23514": ConstraintViolated,
    "23P01": ConstraintViolated,
    "23502": ValueMissing,
    "42501": NotPermitted,
    "57014": StatementTimeout,
}
_CONFLICT = "40"
_UNAVAILABLE = ("08", "53", "57P")
_THEIR_FAULT = ("0A", "20", "21", "22", "23", "25", "2B", "2F", "34", "3D", "3F", "42", "44", "54", "P0")


def refusal_for(error: Exception) -> Refusal | None:
    """The refusal that tells a caller of a failure of Postgres; None for any other, where only a 500 is honest."""
    if not isinstance(error, asyncpg.PostgresError):
        return None
    state = str(getattr(error, "sqlstate", None) or "")
    reason = str(getattr(error, "message", None) or error)
    if refusal := _BY_STATE.get(state):
        return refusal(reason=reason)
    if state.startswith(_CONFLICT):
        return TransactionConflict()
    if state.startswith(_UNAVAILABLE):
        return DatabaseUnavailable()
    if state.startswith(_THEIR_FAULT):
        return InvalidStatement(reason=reason, sqlstate=state)
    return None
