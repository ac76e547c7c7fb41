"""Rows, and the expressions made of their columns."""

from typing import NamedTuple

from headwater.platform.records.models import Aggregate, Expression, Measured, PathStep, Place
from headwater.platform.records.sql.names import literal, quoted

WHOLE = "headwater_whole"
"""The column in which rows that come out of a common table carry themselves, for functions that take a whole row."""


class Rows(NamedTuple):
    """What rows are called in a statement, and what stands for a whole one, as the argument of a function."""

    alias: str
    whole: str


TOP = Rows("r", "r")
"""The rows of the request's own relation."""
CARRIED = Rows("r", f"r.{WHOLE}")
"""The same, where they come out of a common table and have lost their type."""


def embedded_rows(number: int) -> Rows:
    """The rows of an embed."""
    return Rows(f"r{number}", f"r{number}")


def write_expression(expression: Expression, rows: Rows) -> str:
    """A column of the rows, a function of them, or what lies inside it."""
    if expression.computed is None:
        value = f"{rows.alias}.{quoted(expression.column)}"
    else:
        value = f"{write_place(expression.computed)}({rows.whole})"
    if not expression.path:
        return value
    start = f"to_jsonb({value})" if expression.wrapped else value
    return f"({start}{''.join(map(_step, expression.path))})"


def write_operand(operand: Expression | Measured, rows: Rows) -> str:
    """An expression of each of the rows, or an aggregate of all of them."""
    if not isinstance(operand, Measured):
        return write_expression(operand, rows)
    value = "*" if operand.expression is None else write_expression(operand.expression, rows)
    return write_aggregate(operand.aggregate, value if operand.cast is None else f"cast({value} as {operand.cast})")


def write_aggregate(aggregate: Aggregate, value: str) -> str:
    """An aggregate of a value, or of the rows themselves where that is `*`."""
    applied = f"{aggregate.function}({value})"
    return applied if aggregate.cast is None else f"cast({applied} as {aggregate.cast})"


def write_place(place: Place) -> str:
    """A relation or a function, with its schema."""
    return f"{quoted(place[0])}.{quoted(place[1])}"


def _step(step: PathStep) -> str:
    """An arrow; its key stands in the text, so that an index on the same expression can be used."""
    return f"{'->>' if step.as_text else '->'}{step.key if step.index else literal(step.key)}"
