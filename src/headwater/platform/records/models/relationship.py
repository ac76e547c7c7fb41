"""How the rows of two relations belong together."""

from typing import Literal

import msgspec

Place = tuple[str, str]
"""A relation or a function: its schema and its name."""
Pair = tuple[str, str]
"""Two columns whose values are equal where rows belong together; the origin's side stands first."""


class Through(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The junction of a many-to-many: `near` pairs lead from the origin into it, `far` pairs from it to the target."""

    place: Place
    near: tuple[Pair, ...]
    far: tuple[Pair, ...]
    near_constraint: str
    far_constraint: str


class Relationship(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The rows of `target` that belong to a row of `origin`: by a foreign key, a junction, or a function of the row.

    `outgoing` where the origin holds the foreign key.
    """

    origin: Place
    target: Place
    cardinality: Literal["one-to-one", "one-to-many", "many-to-one", "many-to-many"]
    constraint: str = ""
    pairs: tuple[Pair, ...] = ()
    outgoing: bool = False
    through: Through | None = None
    function: Place | None = None

    @property
    def many(self) -> bool:
        """Whether a row has an array of others, rather than one or none."""
        return self.cardinality in {"one-to-many", "many-to-many"}
