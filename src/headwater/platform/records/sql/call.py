"""The call of a function, in front of the statement that reads what it gives."""

from headwater.platform.records.models import Call, Given, Source
from headwater.platform.records.plan import SCALAR
from headwater.platform.records.sql.expressions import WHOLE
from headwater.platform.records.sql.names import CALLED, quoted
from headwater.platform.records.sql.needs import call_carries_whole
from headwater.platform.records.sql.parameters import Parameters

_ARGUMENTS = "given"


def write_call(text: Parameters, source: Source, call: Call) -> str:
    """The call as a common table: it runs once, when its rows are first wanted, which is below the gate.

    The function stands in FROM, so that it runs even where nobody looks at its result.
    """
    whole = f", r as {WHOLE}" if call_carries_whole(source) else ""
    function = (
        f"{quoted(call.place[0])}.{quoted(call.place[1])}({', '.join(_argument(text, call, g) for g in call.given)})"
    )
    rows = f"{function} r" if call.returns in {"rows", "row"} else f"{function} r({quoted(SCALAR)})"
    if call.body == "members":
        members = ", ".join(f"{quoted(given.name)} {given.type}" for given in call.given)
        rows = f"json_to_record({text.body}::json) {_ARGUMENTS}({members}), lateral {rows}"
    return f"with {CALLED} as (select r.*{whole} from {rows})"


def _argument(text: Parameters, call: Call, given: Given) -> str:
    variadic = "variadic " if given.variadic else ""
    name = f"{quoted(given.name)} => " if given.name else ""
    if call.body == "members":
        return f"{variadic}{name}{_ARGUMENTS}.{quoted(given.name)}"
    value = text.body if given.slot is None else text.value(given.slot)
    return f"{variadic}{name}{value}::{given.type}"
