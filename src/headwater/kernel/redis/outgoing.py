"""Commands on their way, and whom their answers are for."""

import asyncio
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

Argument = str | bytes | int | float
_joins = attrgetter("joins")


class Outgoing(NamedTuple):
    """One command and the future of its answer."""

    arguments: tuple[Argument, ...]
    answer: asyncio.Future[Any]
    joins: bool = False
    """Whether it is a GET that may become part of an MGET."""


def grouped(leaving: list[Outgoing]) -> list[tuple[tuple[Argument, ...], list[Outgoing]]]:
    """The commands to be sent, in their order, and whom each of them answers."""
    groups: list[tuple[tuple[Argument, ...], list[Outgoing]]] = []
    for joins, adjacent in groupby(leaving, _joins):
        if joins:
            group = list(adjacent)
            groups.append((("MGET", *(outgoing.arguments[1] for outgoing in group)), group))
        else:
            groups += [(outgoing.arguments, [outgoing]) for outgoing in adjacent]
    return groups


def fail(answer: asyncio.Future[Any], failure: Exception) -> None:
    """Let whoever still waits for the answer have a failure instead."""
    if not answer.done():
        answer.set_exception(failure)
        answer.exception()  # whoever no longer waits is not to be warned of it
