"""What is refused of the admin's SQL and of migrations."""

from headwater.kernel.errors import Refusal


class UnparsableSql(Refusal):
    """Postgres' own parser does not understand the text."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "{reason} at position {position} (SQLSTATE 42601)"


class SqlFailed(Refusal):
    """Postgres could not do what the SQL asks; the sentence carries its words and its SQLSTATE."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "{reason} (SQLSTATE {sqlstate})"


class ForbiddenStatement(Refusal):
    """The statement would change the session, the roles or the transaction it runs in."""

    code = "FORBIDDEN"
    status = 403
    sentence = "{statement} is not allowed here"


class WrongParameters(Refusal):
    """The parameters do not fit the SQL."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "params: {reason}"


class UnexplainableSql(Refusal):
    """Only one SELECT can be explained."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "explain: only a single SELECT can be explained"


class UnshowableValue(Refusal):
    """A result that JSON and the calendar have no form for."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "A result lies outside what can be shown (a date beyond the years 1 to 9999?): cast it to text"


class InvalidExpression(Refusal):
    """What should be one SQL expression is something else."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "{what}: {reason}"


class MigrationNotNewer(Refusal):
    """Migrations are applied in the order of their versions, each once."""

    code = "DATABASE_MIGRATION_ALREADY_EXISTS"
    status = 409
    sentence = "version: {version} must be higher than {latest}, the latest that was applied"


class MigrationFailed(Refusal):
    """A statement of a migration failed, and nothing of the migration happened."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "Statement {number} failed at line {line}, column {column}: {reason} (SQLSTATE {sqlstate})"
