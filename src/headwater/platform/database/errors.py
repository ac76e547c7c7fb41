"""What the admin's side of the database refuses, and why."""

from headwater.kernel.errors import Refusal


class TableExists(Refusal):
    """A table of that name is already there."""

    code = "DATABASE_DUPLICATE"
    status = 400
    sentence = "Table {table} already exists"


class TableNotFound(Refusal):
    """There is no such table."""

    code = "DATABASE_NOT_FOUND"
    status = 404
    sentence = "Table {table} does not exist"


class SchemaNotFound(Refusal):
    """There is no such schema."""

    code = "DATABASE_NOT_FOUND"
    status = 404
    sentence = "Schema {schema} does not exist"


class SchemaIsInternal(Refusal):
    """The schema is Headwater's or Postgres' own, and its tables change only with Headwater."""

    code = "DATABASE_FORBIDDEN"
    status = 403
    sentence = "Schema {schema} is managed by the server"


class SystemColumnRefers(Refusal):
    """A foreign key on a column that every table gets from us."""

    code = "DATABASE_FORBIDDEN"
    status = 400
    sentence = "Column {column} is managed by the server and cannot hold a foreign key"


class InvalidTable(Refusal):
    """The table asked for cannot be made; the sentence says why."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "{reason}"


class InvalidName(Refusal):
    """Postgres would cut the name short, or it holds what no name may hold."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "{what} must be 1 to 63 bytes long, without double quotes or control characters"


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
