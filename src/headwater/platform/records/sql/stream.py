"""A read whose rows leave one by one: a cursor, and what tells of each row by itself."""

from headwater.platform.records.models import Frame, Plan, Statement
from headwater.platform.records.sql.answer import ROW, write_csv_header, write_csv_line
from headwater.platform.records.sql.gate import OPENED, write_opening
from headwater.platform.records.sql.parameters import Parameters
from headwater.platform.records.sql.read import read_rows

_CURSOR = "headwater_rows"
_ONE_LINE = "translate({json}::text, e'\\n\\r', '  ') || e'\\n'"
"""JSON of which no value is changed: a line break in it can only be white space (RFC 8259 7)."""


def write_stream(plan: Plan, frame: Frame) -> Statement:
    """The cursor of a plan, and before it what holds for its transaction."""
    text = Parameters(plan)
    rows = f"{read_rows(text, plan.source)}{text.window}"
    sql = (
        f"declare {_CURSOR} no scroll cursor for select convert_to({_line(plan)}, 'UTF8') "
        f"from (select {OPENED} offset 0) gate, lateral ({rows}) {ROW}"
    )
    return Statement(
        sql=sql,
        plan=plan,
        slots=tuple(text.slots),
        wildcards=frozenset(text.wildcards),
        opening=write_opening(plan, frame, reads=True, always=True),
        streams=True,
    )


def write_next(count: int) -> str:
    """The next rows of the cursor, at most `count`."""
    return f"fetch forward {count:d} from {_CURSOR}"


def stream_header(plan: Plan) -> bytes:
    """What stands before the first row."""
    return b"" if plan.media.name == "application/x-ndjson" else f"{write_csv_header(plan.source)}\n".encode()


def _line(plan: Plan) -> str:
    if plan.media.name == "application/x-ndjson":
        json = f"row_to_json({ROW})"
        return _ONE_LINE.format(json=f"json_strip_nulls({json})" if plan.media.strip_nulls else json)
    return f"{write_csv_line()} || e'\\n'"
