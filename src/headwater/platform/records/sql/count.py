"""How many rows there are without the window: counted, counted up to a number, or estimated."""

import msgspec

from headwater.platform.records.models import Frame, Plan, Side
from headwater.platform.records.sql.call import write_call
from headwater.platform.records.sql.parameters import Parameters
from headwater.platform.records.sql.read import count_rows


def write_total(text: Parameters, plan: Plan, frame: Frame) -> str:
    """The number of rows without the window; null where it is not asked for, or only estimated."""
    preferred = plan.preferences.count
    if not plan.wants_total or preferred == "planned":
        return "null"
    if not text.window:
        return "count(*)"
    if preferred == "estimated" and frame.counted is not None:
        return f"(select count(*) from ({count_rows(text, plan.source)} limit {frame.counted + 1:d}) counted)"
    return f"(select count(*) from ({count_rows(text, plan.source)}) counted)"


def write_estimate(plan: Plan, frame: Frame) -> Side | None:
    """What tells how many rows Postgres expects; None where they are counted, whatever their number."""
    estimated = plan.preferences.count == "estimated" and frame.counted is not None
    if not plan.wants_total or not (estimated or plan.preferences.count == "planned"):
        return None
    source = msgspec.structs.replace(plan.source, limited=False, shifted=False)
    text = Parameters(msgspec.structs.replace(plan, source=source))
    common = "" if source.call is None else f"{write_call(text, source, source.call)} "
    sql = f"explain (format json) {common}{count_rows(text, source, gate='$1::text is not null')}"
    return Side(sql=sql, slots=tuple(text.slots), wildcards=frozenset(text.wildcards), takes_body=text.body is not None)
