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


class InvalidExpression(Refusal):
    """What should be one SQL expression is something else."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "{what}: {reason}"


class InvalidType(Refusal):
    """What should be the name of a type is something else."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "type: {type!r} is no name of a type"


class SystemColumnProtected(Refusal):
    """A column that every table gets from us is to be changed or dropped."""

    code = "DATABASE_FORBIDDEN"
    status = 403
    sentence = "Column {column} is managed by the server and stays as it is"


class LastColumn(Refusal):
    """A table would be left without a column of its own."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "dropColumns: a table keeps at least one column of its own"


class ColumnNotFound(Refusal):
    """The table has no such column."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "{field}: {column!r} is no column of this table"


class ConstraintNotFound(Refusal):
    """The table has no such foreign key or key."""

    code = "DATABASE_NOT_FOUND"
    status = 404
    sentence = "{field}: {constraint!r} is no such constraint of this table"


class ChangeRefused(Refusal):
    """Postgres cannot make a change, mostly because of the rows that are there; none was made."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "{subject}: {reason} (SQLSTATE {sqlstate})"


class SchemaLocked(Refusal):
    """Others hold the table, or wait for it, and went on doing so; nothing was changed."""

    code = "DATABASE_LOCKED"
    status = 409
    sentence = "Other transactions are using what is to be changed, and did not end in time: nothing was changed"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "5"})


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


class InvalidIndex(Refusal):
    """The index asked for cannot be made; the sentence says why."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "{reason}"


class InvalidPolicy(Refusal):
    """The policy asked for cannot be made; the sentence says why."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "{reason}"


class InvalidTrigger(Refusal):
    """The trigger asked for cannot be made; the sentence says why."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "{reason}"


class InvalidDefinition(Refusal):
    """What should make a function is something else."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "definition: {reason}"


class ObjectExists(Refusal):
    """There is already a schema, function, index, policy or trigger of that name."""

    code = "DATABASE_DUPLICATE"
    status = 409
    sentence = "{subject}: {reason}"


class ObjectNotFound(Refusal):
    """There is no such function, index, policy or trigger."""

    code = "DATABASE_NOT_FOUND"
    status = 404
    sentence = "{subject} does not exist"


class AmbiguousFunction(Refusal):
    """Several functions have the name; the sentence lists their arguments."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "arguments: several functions are called {name}; say which: {choices}"


class InvalidUpload(Refusal):
    """The file cannot be taken; the sentence says why."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "file: {reason}"


class RowRefused(Refusal):
    """A row of a file does not fit, so no row of it was written."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "{place}: {reason} (SQLSTATE {sqlstate}); nothing was written"


class RowExists(Refusal):
    """A row of a file has a key that is taken, so no row of it was written."""

    code = "DATABASE_DUPLICATE"
    status = 409
    sentence = "{place}: {reason} (SQLSTATE {sqlstate}); nothing was written"


class SameKeyTwice(Refusal):
    """Two rows of a file mean the same row of the table."""

    code = "DATABASE_DUPLICATE"
    status = 409
    sentence = "Two rows of the file have {key} = {value}, and only one of them can win; nothing was written"


class NotAKey(Refusal):
    """Rows can be told apart only by columns that are unique together."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "upsertKey: {key} is no primary key or unique constraint of {table}"


class InvalidRecords(Refusal):
    """What is asked of rows cannot be understood; the sentence names the field."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "{reason}"


class IncompleteKey(Refusal):
    """A row is meant, and only a part of its primary key is given."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "pkKeys: the whole primary key is needed: {columns}"


class BlankValue(Refusal):
    """A column that holds no text and no nulls is to be blank."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "data: column {column} cannot be blank"


class RecordNotFound(Refusal):
    """No row has this key."""

    code = "DATABASE_NOT_FOUND"
    status = 404
    sentence = "No row has this key"


class AmbiguousRecord(Refusal):
    """Several rows have this key, and one was meant; nothing was changed."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 409
    sentence = "pkKeys: several rows have these values; nothing was changed"


class ImportFailed(Refusal):
    """A statement of a file failed, and nothing of the file happened."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = (
        "{filename}: statement {number} failed at line {line}, column {column}: {reason} (SQLSTATE {sqlstate}); "
        "nothing was imported"
    )


class LastBackupFailed(Refusal):
    """The latest backup that the clock asked for did not come about; told by /health."""

    code = "BACKUP_FAILED"
    status = 503
    sentence = "The scheduled backup of {moment} failed: {reason}"


class WrongSchedule(Refusal):
    """A cron expression that no clock could keep; the sentence names the field."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "{reason}"


class BackupNotFound(Refusal):
    """There is no backup of this id."""

    code = "DATABASE_NOT_FOUND"
    status = 404
    sentence = "There is no such backup"


class BackupUnfinished(Refusal):
    """The backup came to nothing, so there is nothing to restore."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "This backup failed and holds nothing: {reason}"


class RestoreNeedsCommand(Refusal):
    """A restore would pull the database away from under this server and the others."""

    code = "SERVER_IS_RUNNING"
    status = 409
    sentence = (
        "The backup is whole, but a restore replaces the whole database and no server may run meanwhile: "
        "stop every server, then run `headwater restore {file} --replace`"
    )


class SuppressionExists(Refusal):
    """The advisor is silent about that already."""

    code = "DATABASE_DUPLICATE"
    status = 409
    sentence = "There is already a suppression of {code} for the same object"


class SuppressionNotFound(Refusal):
    """There is no suppression of this id."""

    code = "DATABASE_NOT_FOUND"
    status = 404
    sentence = "There is no such suppression"
