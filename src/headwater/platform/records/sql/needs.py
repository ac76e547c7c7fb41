"""What a source reads of its own rows: all that a change has to give back of them."""

from typing import NamedTuple

from headwater.platform.records.models import Counted, Expression, Filter, Junction, Measured, Output, Related, Source


class Needs(NamedTuple):
    """Columns by their names, every column, the whole row as one value."""

    columns: tuple[str, ...]
    everything: bool
    whole: bool


def needs_of(source: Source) -> Needs:
    """What the members, the order and the embeds of a source need; its filters are through by then."""
    outputs = [output for output in source.outputs if isinstance(output, Output)]
    told = [output.expression for output in outputs]
    ordering = [_inner(key.expression) for key in source.order if key.embed is None]
    chosen = [expression for one in source.having for expression in _compared(one)]
    expressions = [expression for expression in (*told, *ordering, *chosen) if expression is not None]
    columns = [expression.column for expression in expressions if expression.computed is None]
    whole = any(expression.computed is not None for expression in expressions)
    for embed in source.embeds:
        relationship = embed.relationship
        pairs = relationship.pairs if relationship.through is None else relationship.through.near
        columns += [own for own, _ in pairs]
        whole = whole or relationship.function is not None
    return Needs(tuple(dict.fromkeys(columns)), any(output.everything for output in outputs), whole)


def carries_whole(source: Source) -> bool:
    """Whether rows that come out of a common table must carry themselves as one value too."""
    return needs_of(source).whole


def call_carries_whole(source: Source) -> bool:
    """The same for rows that a function gives, which are still to be filtered."""
    firsts = any(expression.computed is not None for expression in source.firsts)
    return firsts or carries_whole(source) or any(map(_takes_whole, source.filters))


def _takes_whole(asked: Filter) -> bool:
    if isinstance(asked, Junction):
        return any(map(_takes_whole, asked.parts))
    if isinstance(asked, Related | Counted):
        return asked.embed.relationship.function is not None
    expression = _inner(asked.expression)
    return expression is not None and expression.computed is not None


def _compared(asked: Filter) -> list[Expression | None]:
    """The expressions that a condition compares, of those that are no embed's."""
    if isinstance(asked, Junction):
        return [expression for part in asked.parts for expression in _compared(part)]
    return [] if isinstance(asked, Related | Counted) else [_inner(asked.expression)]


def _inner(asked: Expression | Measured) -> Expression | None:
    return asked.expression if isinstance(asked, Measured) else asked
