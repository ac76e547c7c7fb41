"""Where each parameter of a statement stands."""

from headwater.platform.records.errors import UnreadableQuery
from headwater.platform.records.models import Plan

MOST_RELATED = 200
"""How often one statement may ask whether, or in what order, there are embedded rows."""


class Parameters:
    """Where each parameter stands: claims, limit, offset, body, then the values in the order of their first use."""

    def __init__(self, plan: Plan) -> None:
        self.slots: dict[int, int] = {}
        self.wildcards: set[int] = set()
        self._count = 1
        self._related = 0
        limit = f" limit {self._next()}::bigint" if plan.source.limited else ""
        offset = f" offset {self._next()}::bigint" if plan.source.shifted else ""
        self.window = limit + offset
        self.body = f"{self._next()}::{_body_type(plan)}" if takes_body(plan) else None

    def value(self, slot: int) -> str:
        """The value of a slot, as text; asked for again, it is the same parameter."""
        place = self.slots.setdefault(slot, len(self.slots))
        return f"${place + self._count + 1}::text"

    def count_related(self) -> None:
        """Bound how often embedded rows are asked for; each time their whole part of the text is written again.

        Raises `UnreadableQuery`.
        """
        self._related += 1
        if self._related > MOST_RELATED:
            expected = f"expecting at most {MOST_RELATED} conditions on embedded resources"
            raise UnreadableQuery(what="filter", text="…", column=1, details=expected)

    def _next(self) -> str:
        self._count += 1
        return f"${self._count}"


def takes_body(plan: Plan) -> bool:
    """Whether a change or a call reads the body of its request."""
    call, writing = plan.source.call, plan.writing
    if call is not None:
        return call.body != "none"
    return writing is not None and bool(writing.columns or writing.from_array)


def _body_type(plan: Plan) -> str:
    call = plan.source.call
    return "bytea" if call is not None and call.body == "bytes" else "text"
