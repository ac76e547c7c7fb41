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
