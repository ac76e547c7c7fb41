"""What two requests must have in common to share their SQL."""

from typing import NamedTuple

from headwater.platform.records.models.asked import Logic
from headwater.platform.records.models.nested import LevelShape

Parameter = tuple[str, str | Logic, int]
"""A query parameter's key, what of it is structure, and the slot of its value, or -1."""


class Shape(NamedTuple):
    """Everything about a request that its SQL depends on, besides the catalog; requests of one shape share it.

    `profiled` where the client named the schema itself; `nested` are the levels of a body whose rows carry others.
    """

    method: str
    schema: str
    relation: str
    accept: str
    prefer: str
    parameters: tuple[Parameter, ...]
    limited: bool = False
    shifted: bool = False
    body_columns: tuple[str, ...] = ()
    body_is_array: bool = False
    profiled: bool = False
    nested: tuple[LevelShape, ...] = ()


class CallShape(NamedTuple):
    """What the SQL of a call depends on: what is asked of its result, and how its arguments come.

    `names` are the arguments', which stand in the slots after those of `result`, or where `kind` names the media type
    of a body, in that body. `reads` where the method promises to change nothing.
    """

    result: Shape
    names: tuple[str, ...]
    kind: str
    reads: bool


class Window(NamedTuple):
    """Which of the rows are wanted; a limit of None wants all."""

    limit: int | None
    offset: int


EVERYTHING = Window(None, 0)
