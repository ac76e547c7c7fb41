"""What is refused of that which PostgREST does not have; codes in words, so that none is taken for one of its own."""

from headwater.platform.records.errors.dialect import RecordsRefusal


class NoSuchKey(RecordsRefusal):
    """`by` names columns that are no key of the table."""

    code = "NO_SUCH_KEY"
    status = 400
    sentence = "({columns}) is no primary or unique key of '{relation}'"


class KeyGivenTwice(RecordsRefusal):
    """Two rows of the body carry one key, so that it is not known which of them is meant; nothing has changed."""

    code = "KEY_GIVEN_TWICE"
    status = 400
    sentence = "Two rows of the body carry the same key"


class NoGroups(RecordsRefusal):
    """An aggregate orders groups, and neither `select` nor `having` makes any."""

    code = "NO_GROUPS"
    status = 400
    sentence = "order={measure} orders groups, and nothing in 'select' makes any"


class OrderNotTold(RecordsRefusal):
    """Rows that are told alike are one row, which has nothing but what is told."""

    code = "ORDER_NOT_TOLD"
    status = 400
    sentence = "With distinct=(*) rows are ordered by what 'select' tells of them, and '{key}' is not in it"


class NestedTooDeep(RecordsRefusal):
    """The rows of an insert carry rows that carry rows, further than is allowed (HEADWATER_RECORDS_NESTED_DEPTH)."""

    code = "NESTED_TOO_DEEP"
    status = 400
    sentence = "nested=(…) may hold relations to a depth of {most} here"


class NestedTooLarge(RecordsRefusal):
    """A body whose rows carry others is larger than its transaction should wait for."""

    code = "NESTED_TOO_LARGE"
    status = 413
    sentence = "A body whose rows carry others may have {limit} bytes"


class NotNestable(RecordsRefusal):
    """What `nested` names cannot be carried by the rows of an insert."""

    code = "NOT_NESTABLE"
    status = 400
    sentence = "nested=(…): {reason}"


class KeyFilledTwice(RecordsRefusal):
    """A row says itself what the row that it stands in, or one that it carries, gives it."""

    code = "KEY_FILLED_TWICE"
    status = 400
    sentence = "'{column}' is filled from the key of {label}, and given too"


class RowLeftOut(RecordsRefusal):
    """A trigger left a row out, so that what belongs to it has no place; nothing has changed."""

    code = "ROW_LEFT_OUT"
    status = 409
    sentence = "The database left out a row of '{relation}' that others belong to"


class UnreadableBatch(RecordsRefusal):
    """A batch is a JSON list of requests."""

    code = "UNREADABLE_BATCH"
    status = 400
    sentence = "{reason}"


class UnresolvedReference(RecordsRefusal):
    """A request of a batch refers to what no answer before it holds."""

    code = "UNRESOLVED_REFERENCE"
    status = 400
    sentence = "No earlier answer holds {reference}"


class BatchTooLarge(RecordsRefusal):
    """The answers to a batch are more than one answer should hold; nothing has changed."""

    code = "BATCH_TOO_LARGE"
    status = 413
    sentence = "The answers to this batch are larger than {limit} bytes"


class RepliesNotKept(RecordsRefusal):
    """Nothing of ours is in this database (`headwater rest`), so that no answer can be kept under a key in it."""

    code = "REPLIES_NOT_KEPT"
    status = 400
    sentence = "Idempotency-Key: no answers are kept in this database, so the batch might happen twice"
