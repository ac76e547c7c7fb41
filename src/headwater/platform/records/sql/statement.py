"""A plan as one SQL statement that sets its own claims (docs/decisions/0003): one trip, one row, only parameters."""

from headwater.platform.records.models import Explanation, Frame, Plan, Statement
from headwater.platform.records.sql.answer import ROW, write_answer
from headwater.platform.records.sql.call import write_call
from headwater.platform.records.sql.count import write_estimate
from headwater.platform.records.sql.gate import OPENED, write_gate, write_opening
from headwater.platform.records.sql.nested import write_inserts
from headwater.platform.records.sql.parameters import Parameters
from headwater.platform.records.sql.read import read_rows
from headwater.platform.records.sql.stream import write_stream
from headwater.platform.records.sql.write import change_rows, given_rows, is_idle, told_rows

CHECK_CONSTRAINTS = "set constraints all immediate"
"""What COMMIT would refuse is refused now, before a ROLLBACK hides it."""
_USUAL = Frame()


def write_statement(plan: Plan, frame: Frame = _USUAL) -> Statement:
    """The statement of a plan, and what must run beside it."""
    writing, call = plan.writing, plan.source.call
    if writing is not None and is_idle(writing):
        return Statement(sql="", plan=plan, idle=True)
    if plan.media.streamed and plan.wants_rows:
        return write_stream(plan, frame)
    text = Parameters(plan)
    common, rows = _rows(text, plan)
    reads = writing is None and (call is None or call.reads)
    opening = write_opening(plan, frame, reads=reads, always=plan.nested is not None)
    gate = write_gate(text, plan, frame, reads=reads) if opening is None else OPENED
    answer = f"select {', '.join(write_answer(text, plan, frame))} from ({rows}) {ROW}"
    sql = f"{common}select answer.* from (select {gate} offset 0) gate, lateral ({answer}) answer"
    return Statement(
        sql=sql if plan.media.explained is None else f"explain ({_options(plan.media.explained)}) {sql}",
        plan=plan,
        slots=tuple(text.slots),
        wildcards=frozenset(text.wildcards),
        takes_body=text.body is not None,
        answers=frame.answers,
        opening=opening,
        estimate=write_estimate(plan, frame),
        inserts=None if plan.nested is None else write_inserts(plan, plan.nested),
    )


def _rows(text: Parameters, plan: Plan) -> tuple[str, str]:
    """What stands before the statement, and the rows that it tells of."""
    source = plan.source
    if plan.writing is not None:
        common = f"with {given_rows(text, plan.writing)}written as ({change_rows(text, plan, plan.writing)}) "
        return common, f"{told_rows(text, plan, plan.writing)}{text.window}"
    common = "" if source.call is None else f"{write_call(text, source, source.call)} "
    return common, f"{read_rows(text, source)}{text.window}"


def _options(explained: Explanation) -> str:
    """What EXPLAIN is asked; `costs` stay, because they are what a plan is read for."""
    form = "text" if explained.as_text else "json"
    return ", ".join([f"format {form}", *explained.options])
