"""What is run, and what is known of its answer beforehand."""

import msgspec

from headwater.platform.records.models.planned import Plan

COUNTED = "headwater counted "
"""Stands before the number of rows in the error with which a statement undoes itself."""


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One SQL text and the order of its parameters.

    They are: the claims; limit and offset where the plan has them; the body if the statement `takes_body`; the values
    of `slots`, in this order. `wildcards` are the slots in whose values `*` stands for `%`. The statement gives one
    row `(body, page, total, inserted, place)`. An `idle` one changes nothing and need not run.
    """

    sql: str
    plan: Plan
    slots: tuple[int, ...] = ()
    wildcards: frozenset[int] = frozenset()
    takes_body: bool = False
    idle: bool = False


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement gave.

    `body` is the rows' JSON, `page` how many they are, `total` how many there are without limits, `inserted` how many
    of an upsert's are new, `place` the primary key of the one new row, as a JSON object.
    """

    body: bytes = b""
    page: int = 0
    total: int | None = None
    inserted: int | None = None
    place: str | None = None


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a request shape that can be made once: its statement, and the headers every answer has."""

    statement: Statement
    headers: tuple[tuple[str, str], ...]
