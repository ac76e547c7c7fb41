"""Aggregates outside of `select`: what they are compared with, and whether an order by them means anything."""

import msgspec

from headwater.platform.records.errors import NoGroups, OrderNotTold
from headwater.platform.records.models import Expression, Measured, Ordering, Output, Source

_OWN_SUM = frozenset({"interval", "money"})


def type_of_measure(measured: Measured, kind: str) -> str:
    """The type of the values that a measure is compared with, made of a column of this kind; `text` casts nothing.

    Sums and means are compared as numeric, whichever number they are.
    """
    aggregate = measured.aggregate
    if aggregate.cast is not None:
        return aggregate.cast
    if aggregate.function == "count":
        return "bigint"
    before = measured.cast or kind
    return before if aggregate.function in {"min", "max"} or before in _OWN_SUM else "numeric"


def order_of(source: Source) -> tuple[Ordering, ...]:
    """The order of a source, whose keys are members of its rows where those are told once each.

    Raises `NoGroups` and `OrderNotTold` where it means nothing for the rows.
    """
    for key in source.order:
        if isinstance(key.expression, Measured) and key.embed is None and not source.grouped:
            raise NoGroups(measure=_spelled(key))
    return tuple(_told(source, key) for key in source.order) if source.distinct else source.order


def _told(source: Source, key: Ordering) -> Ordering:
    found = (output for output in source.outputs if isinstance(output, Output) and _is(output, key.expression))
    told = None if key.embed is not None else next(found, None)
    if told is None:
        raise OrderNotTold(key=_spelled(key))
    return msgspec.structs.replace(key, told=told)


def _is(output: Output, key: Expression | Measured) -> bool:
    if isinstance(key, Measured):
        return (output.aggregate, output.expression, output.cast) == (key.aggregate, key.expression, key.cast)
    plain = output.aggregate is None and output.cast is None and output.told_by is None
    return plain and output.expression == key


def _spelled(key: Ordering) -> str:
    asked = key.expression
    if isinstance(asked, Measured):
        column = "" if asked.expression is None else f"{asked.expression.column}."
        spelled = f"{column}{asked.aggregate.function}()"
    else:
        spelled = asked.column
    return spelled if key.embed is None else f"{key.embed.label}({spelled})"
