"""What the dialect itself refuses; `code` is PostgREST's word for it, so that its clients understand."""

from collections.abc import Mapping

from headwater.kernel.errors import Refusal


class RecordsRefusal(Refusal):
    """A refusal in the dialect's words; `details` and `hint` go into its body beside code and message."""

    def __init__(
        self,
        *,
        details: object = None,
        hint: str | None = None,
        headers: Mapping[str, str] | None = None,
        path: str | None = None,
        **facts: object,
    ) -> None:
        super().__init__(headers=headers, next_actions=None, **facts)
        self.details = details
        self.path = path
        """Where in a nested body what is refused stands, such as `lines[2].product_id`."""
        self.request: int | None = None
        """Which request of a batch is refused, counted from 0."""
        self.terse = False
        """Whether details and hint are kept from the caller."""
        self.hint = hint


class UnreadableQuery(RecordsRefusal):
    """A part of the query string breaks the grammar."""

    code = "PGRST100"
    status = 400
    sentence = '"failed to parse {what} ({text})" (line 1, column {column})'


class WrongCallMethod(RecordsRefusal):
    """Functions are called with GET, HEAD or POST."""

    code = "PGRST101"
    status = 405
    sentence = "Cannot use the {method} method on RPC"


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


class UnreadableAnswerHeaders(RecordsRefusal):
    """A function set `response.headers` to something that is not a list of headers."""

    code = "PGRST111"
    status = 500
    sentence = "response.headers guc must be a JSON array composed of objects with a single key and a string value"


class UnreadableAnswerStatus(RecordsRefusal):
    """A function set `response.status` to something that is no status."""

    code = "PGRST112"
    status = 500
    sentence = "response.status guc must be a valid status code"


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


class RelatedOrderImpossible(RecordsRefusal):
    """Rows cannot be ordered by what each has many of."""

    code = "PGRST118"
    status = 400
    sentence = "A related order on '{relation}' is not possible"


class EmbedComparedWithValue(RecordsRefusal):
    """An embedded relation can only be compared with null."""

    code = "PGRST120"
    status = 400
    sentence = "Bad operator on the '{relation}' embedded resource"


class UnreadableRaise(RecordsRefusal):
    """A function raised SQLSTATE 'PGRST' with a message or a detail that does not say what to answer."""

    code = "PGRST121"
    status = 500
    sentence = "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error"


class UnknownPreferences(RecordsRefusal):
    """Strict handling was preferred, and there is a preference nobody knows."""

    code = "PGRST122"
    status = 400
    sentence = "Invalid preferences given with handling=strict"


class AggregatesOff(RecordsRefusal):
    """Aggregate functions are turned off here."""

    code = "PGRST123"
    status = 400
    sentence = "Use of aggregate functions is not allowed"


class TooManyAffected(RecordsRefusal):
    """More rows would change than `max-affected` allows; none has."""

    code = "PGRST124"
    status = 400
    sentence = "Query result exceeds max-affected preference constraint"


class MaxAffectedOfOne(RecordsRefusal):
    """`max-affected` counts rows, and the function gives one value."""

    code = "PGRST128"
    status = 400
    sentence = "Function must return SETOF or TABLE when max-affected preference is used with handling=strict"


class DescriptionOff(RecordsRefusal):
    """The tables are not described here (HEADWATER_RECORDS_OPENAPI)."""

    code = "PGRST126"
    status = 404
    sentence = "Root endpoint metadata is disabled"


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


class NoRelationship(RecordsRefusal):
    """Nothing leads from one relation to the other."""

    code = "PGRST200"
    status = 400
    sentence = "Could not find a relationship between '{origin}' and '{target}' in the schema cache"


class AmbiguousRelationship(RecordsRefusal):
    """More than one thing leads from one relation to the other: say which."""

    code = "PGRST201"
    status = 300
    sentence = "Could not embed because more than one relationship was found for '{origin}' and '{target}'"


class UnknownFunction(RecordsRefusal):
    """No function of that name takes these arguments."""

    code = "PGRST202"
    status = 404
    sentence = "Could not find the function {function} in the schema cache"


class AmbiguousFunction(RecordsRefusal):
    """More than one function of that name takes these arguments."""

    code = "PGRST203"
    status = 300
    sentence = "Could not choose the best candidate function between: {candidates}"


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
