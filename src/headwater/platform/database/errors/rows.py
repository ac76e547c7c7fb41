"""What is refused of rows: of files and one by one."""

from headwater.kernel.errors import Refusal


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


class ImportFailed(Refusal):
    """A statement of a file failed, and nothing of the file happened."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = (
        "{filename}: statement {number} failed at line {line}, column {column}: {reason} (SQLSTATE {sqlstate}); "
        "nothing was imported"
    )


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
