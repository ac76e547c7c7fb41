"""What is run, and what is known of its answer beforehand."""

import msgspec

from headwater.platform.records.models.nested import Nested
from headwater.platform.records.models.planned import Plan

COUNTED = "headwater counted "
"""Stands before the number of rows in the error with which a statement undoes itself."""
KEY_TWICE = "headwater was given a key twice "
"""The error with which a statement undoes itself where two rows of its body carry one key."""
NO_STATUS = "headwater was given no status"
NO_HEADERS = "headwater was given no headers"
"""The errors with which a statement undoes itself where a function set an answer that cannot be given."""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What surrounds the statement of a request, besides its claims; the SQL sets it for the length of the transaction.

    `context` is the slot of the request's headers, after which its cookies come, where somebody may read them; then
    `method` and `path` are told too. `answers` where a function may set the answer's
    status and headers. `pre_request` is the function (schema, name) that is called before the statement. `counted` is
    the number of rows from which on an estimated count is estimated; `geographic` is the schema PostGIS is in.
    """

    method: str = "GET"
    path: str = "/"
    search_path: tuple[str, ...] = ("public",)
    context: int | None = None
    answers: bool = False
    pre_request: tuple[str, str] | None = None
    counted: int | None = None
    geographic: str | None = None


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """A statement beside the main one; its parameters are the claims, the body if it takes one, the slots' values."""

    sql: str
    slots: tuple[int, ...] = ()
    wildcards: frozenset[int] = frozenset()
    takes_body: bool = False


class Inserts(msgspec.Struct, frozen=True, kw_only=True):
    """The statements that add the rows of a nested insert, by level; those of junctions stand beside them.

    Each takes the claims and a JSON array of rows, and gives one row: the keys that the insert gave back, as a JSON
    array of arrays of texts, how many rows there are now, and how many of them are new.
    """

    nested: Nested
    levels: tuple[str, ...]
    junctions: tuple[str | None, ...]


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One SQL text and the order of its parameters.

    They are: the claims; limit and offset where the plan has them; the body if the statement `takes_body`; the values
    of `slots`, in this order. `wildcards` are the slots in whose values `*` stands for `%`. The statement gives one
    row `(body, page, total, inserted, place)`, and after them the status and the headers that a function set, if it
    `answers`. An `idle` one changes nothing and need not run. `opening` runs before it in the same transaction, where
    something must hold before it begins. One that `streams` opens a cursor instead, whose rows are lines. `estimate`
    explains the statement whose rows are only to be estimated. What `inserts` add is there before it begins; its body
    are the keys of the first level's rows.
    """

    sql: str
    plan: Plan
    slots: tuple[int, ...] = ()
    wildcards: frozenset[int] = frozenset()
    takes_body: bool = False
    idle: bool = False
    answers: bool = False
    streams: bool = False
    opening: Side | None = None
    estimate: Side | None = None
    inserts: Inserts | None = None

    @property
    def reads(self) -> bool:
        """Whether it may change nothing."""
        call = self.plan.source.call
        return self.plan.writing is None and (call is None or call.reads)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement gave.

    `body` is the rows' JSON, `page` how many they are, `total` how many there are without limits, `inserted` how many
    of an upsert's are new, `place` the primary key of the one new row, as a JSON object. `status` and `headers` are
    the texts that a function set for the answer.
    """

    body: bytes = b""
    page: int = 0
    total: int | None = None
    inserted: int | None = None
    place: str | None = None
    status: str | None = None
    headers: str | None = None


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a request shape that can be made once: its statement, and the headers every answer has.

    `rolls_back` where what it changes is undone in the end. Above `counted` rows their number is estimated.
    """

    statement: Statement
    headers: tuple[tuple[str, str], ...]
    rolls_back: bool = False
    counted: int | None = None
