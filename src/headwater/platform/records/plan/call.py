"""Which function a call means, and what it gives."""

from collections.abc import Iterable
from difflib import get_close_matches

import msgspec

from headwater.kernel.catalog import Argument, Column, Function, Snapshot
from headwater.platform.records.errors import AmbiguousFunction, MaxAffectedOfOne, UnknownFunction
from headwater.platform.records.models import Asked, Call, CallShape, Given, Plan, RecordsSettings, Star
from headwater.platform.records.plan.handlers import for_handler
from headwater.platform.records.plan.hints import nearest
from headwater.platform.records.plan.relations import LONGEST_NAME
from headwater.platform.records.plan.relationships import Relationships
from headwater.platform.records.plan.scopes import whole_scope
from headwater.platform.records.plan.sources import Sources

SCALAR = "pgrst_scalar"
"""What a value that is no row is called where it needs a name."""
_JSON = "application/json"
_TAKEN_WHOLE = {
    _JSON: ("json", "jsonb"),
    "text/plain": ("text",),
    "text/xml": ("xml",),
    "application/octet-stream": ("bytea",),
}
_LIKE_PARAMETERS = 0.33


def find_functions(snapshot: Snapshot, schema: str, name: str) -> tuple[Function, ...]:
    """The functions of that name that can be called over HTTP."""
    return tuple(function for function in snapshot.functions.get((schema, name), ()) if function.callable)


def choose_function(snapshot: Snapshot, shape: CallShape) -> Function:
    """The function whose parameters are the call's arguments, every one without a default among them.

    Where there is none, and the call has a body, one that takes the whole of it. Raises `UnknownFunction` and
    `AmbiguousFunction`.
    """
    known = find_functions(snapshot, shape.result.schema, shape.result.relation)
    names = frozenset(shape.names)
    fitting = [function for function in known if _takes(function, names, shape.kind)]
    if not fitting:
        fitting = [function for function in known if _takes_whole(function, shape.kind)]
    if not fitting:
        raise _unknown(snapshot, shape)
    if len(fitting) > 1:
        raise AmbiguousFunction(
            candidates=", ".join(map(_described, fitting)),
            hint="Try renaming the parameters or the function itself in the database so function overloading can be"
            " resolved",
        )
    return fitting[0]


def plan_call(
    asked: Asked,
    shape: CallShape,
    snapshot: Snapshot,
    relationships: Relationships,
    settings: RecordsSettings,
    first_slot: int,
) -> Plan:
    """What to run for a call; its arguments' values begin at `first_slot`.

    Raises `UnknownFunction`, `AmbiguousFunction`, `MaxAffectedOfOne`, and what a read of such rows would.
    """
    function = choose_function(snapshot, shape)
    call = _call(function, shape, settings, first_slot)
    preferences = asked.preferences
    most_affected = preferences.max_affected if preferences.handling == "strict" else None
    if most_affected is not None and not call.many:
        raise MaxAffectedOfOne
    sources = Sources(snapshot, relationships, settings)
    relation = snapshot.relations.get(function.returns_relation or ("", ""))
    place = (function.schema, function.name) if relation is None else (relation.schema, relation.name)
    columns = _scalar(function) if call.returns in {"value", "values", "nothing"} else function.columns
    items = (Star(),) if call.returns in {"value", "values", "nothing"} else asked.select
    source, _ = sources.of_rows(place, columns if relation is None else relation.columns, items, whole_scope(asked))
    source = for_handler(source, asked, function)
    return Plan(
        source=msgspec.structs.replace(source, limited=asked.limited, shifted=asked.shifted, call=call),
        media=asked.media,
        preferences=preferences,
        wants_rows=asked.method == "GET" and call.returns != "nothing",
        wants_total=preferences.count is not None,
        most_affected=most_affected,
        claims_first=sources.claims_first or (function.volatility != "volatile" and relationships.partitions_anywhere),
        profile=asked.schema if asked.profiled or len(snapshot.exposed_schemas) > 1 else None,
    )


def _takes(function: Function, names: frozenset[str], kind: str) -> bool:
    """Whether a function can be called with arguments of just these names."""
    if not function.arguments:
        return not names and kind in {"", _JSON}
    if any(not argument.name for argument in function.arguments):
        return False
    required = {argument.name for argument in function.arguments if not argument.has_default}
    return required <= names <= {argument.name for argument in function.arguments}


def _takes_whole(function: Function, kind: str) -> bool:
    """Whether the one argument of a function has no name and takes a body of this media type."""
    return (
        len(function.arguments) == 1
        and not function.arguments[0].name
        and function.arguments[0].type in _TAKEN_WHOLE.get(kind, ())
    )


def _call(function: Function, shape: CallShape, settings: RecordsSettings, first_slot: int) -> Call:
    whole = any(not argument.name for argument in function.arguments)
    places = {name: first_slot + number for number, name in enumerate(shape.names)}
    given = tuple(
        Given(
            name=argument.name,
            type=argument.type,
            slot=places[argument.name] if not shape.kind else None,
            variadic=argument.variadic,
        )
        for argument in function.arguments
        if whole or argument.name in places
    )
    many = function.returns_set
    returns = "rows" if many else "row"
    if function.returns_void:
        returns = "nothing"
    elif not function.composite:
        returns = "values" if many else "value"
    body = "none"
    if given and shape.kind:
        body = "members" if not whole else "bytes" if shape.kind == "application/octet-stream" else "text"
    return Call(
        place=(function.schema, function.name),
        returns=returns,
        given=given,
        body=body,
        reads=shape.reads or function.volatility != "volatile",
        stable=function.volatility != "volatile",
        settings=_hoisted(function, settings),
    )


def _hoisted(function: Function, settings: RecordsSettings) -> tuple[tuple[str, str], ...]:
    """The function's own settings that must hold before its statement begins."""
    pairs = [setting.partition("=") for setting in function.settings]
    return tuple((name, value) for name, _, value in pairs if name.lower() in settings.hoisted_settings)


def _scalar(function: Function) -> tuple[Column, ...]:
    return (Column(name=SCALAR, type=function.returns, base_type=function.returns, category="U", nullable=True),)


def _described(function: Function) -> str:
    arguments = ", ".join(f"{argument.name} => {argument.type}" for argument in function.arguments)
    return f"{function.schema}.{function.name}({arguments})"


def _unknown(snapshot: Snapshot, shape: CallShape) -> UnknownFunction:
    schema, name = shape.result.schema, shape.result.relation
    whole = f"{schema}.{name}"
    listed = ", ".join(shape.names)
    plural = "s" if len(shape.names) > 1 else ""
    named = f"with parameter{plural} {listed}" if shape.names else "without parameters"
    searched = f"{whole} {named}"
    if shape.kind in _TAKEN_WHOLE:
        single = f"a single unnamed {'/'.join(_TAKEN_WHOLE[shape.kind])} parameter"
        searched = f"{searched} or with {single}" if shape.kind == _JSON else f"{whole} with {single}"
    return UnknownFunction(
        function=f"{whole}({listed})" if shape.names else f"{whole} without parameters",
        details=f"Searched for the function {searched}, but no matches were found in the schema cache.",
        hint=_hint(snapshot, shape),
    )


def _hint(snapshot: Snapshot, shape: CallShape) -> str | None:
    """A function of the same name with other parameters, or one of a name alike."""
    schema, name = shape.result.schema, shape.result.relation
    if len(name) > LONGEST_NAME:
        return None
    parameters = {_parameters(function.arguments): None for function in find_functions(snapshot, schema, name)}
    if parameters:
        asked = ", ".join(sorted(shape.names))
        meant = next(iter(get_close_matches(asked, parameters, n=1, cutoff=_LIKE_PARAMETERS)), None)
        return None if meant is None else f"Perhaps you meant to call the function {schema}.{name}({meant})"
    other = nearest(name, (known for place, known in snapshot.functions if place == schema))
    return None if other is None else f"Perhaps you meant to call the function {schema}.{other}"


def _parameters(arguments: Iterable[Argument]) -> str:
    return ", ".join(sorted(argument.name for argument in arguments))
