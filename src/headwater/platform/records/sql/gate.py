"""What holds for the length of a request's transaction, set before anything reads or changes a row."""

import msgspec

from headwater.platform.records.models import Frame, Plan, Side, Source
from headwater.platform.records.sql.filters import GATED
from headwater.platform.records.sql.names import literal, quoted
from headwater.platform.records.sql.parameters import Parameters

OPENED = "$1::text as claims"
"""The gate of a statement whose opening has set everything, and may have changed it since."""
_USUAL_PATH = ("public",)


def write_gate(text: Parameters, plan: Plan, frame: Frame, *, reads: bool) -> str:
    """The settings of a request, as the list of a SELECT whose one row opens the rest."""
    settings = ["set_config('request.jwt.claims', $1, true) as claims"]
    if reads:
        settings.append("set_config('transaction_read_only', 'on', true)")
    schema = plan.source.call.place[0] if plan.source.call is not None else plan.source.schema
    path = tuple(dict.fromkeys((schema, *frame.search_path)))
    if path != _USUAL_PATH:
        settings.append(_setting("search_path", ", ".join(map(quoted, path))))
    if plan.preferences.timezone is not None:
        settings.append(_setting("timezone", plan.preferences.timezone))
    if frame.context is not None:
        settings.append(_setting("request.method", frame.method))
        settings.append(_setting("request.path", frame.path))
        settings.append(f"set_config('request.headers', {text.value(frame.context)}, true)")
        settings.append(f"set_config('request.cookies', {text.value(frame.context + 1)}, true)")
    return ", ".join(settings)


def write_opening(plan: Plan, frame: Frame, *, reads: bool, always: bool = False) -> Side | None:
    """What must be done in a statement of its own, before the main one begins; None where nothing must.

    A function's own time limit binds from the next statement on, and what a pre-request function writes is only then
    to be seen. With `always` the statement sets nothing itself.
    """
    hoisted = () if plan.source.call is None else plan.source.call.settings
    if not (always or hoisted or frame.pre_request is not None):
        return None
    text = Parameters(msgspec.structs.replace(plan, source=_bare(plan), writing=None))
    settings = ", ".join([write_gate(text, plan, frame, reads=reads), *(_setting(n, v) for n, v in hoisted)])
    sql = f"select {settings}"
    if frame.pre_request is not None:
        called = f"{quoted(frame.pre_request[0])}.{quoted(frame.pre_request[1])}()"
        sql = f"select called.* from (select {settings} offset 0) gate, lateral (select {called} where {GATED}) called"
    return Side(sql=sql, slots=tuple(text.slots))


def _bare(plan: Plan) -> Source:
    return msgspec.structs.replace(plan.source, limited=False, shifted=False, call=None)


def _setting(name: str, value: str) -> str:
    return f"set_config({literal(name)}, {literal(value)}, true)"
