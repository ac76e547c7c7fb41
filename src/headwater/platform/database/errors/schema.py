"""What is refused of tables, columns, names and the schema's other objects."""

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
