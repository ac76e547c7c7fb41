"""Rows that carry rows of other relations, and how they are added."""

from typing import NamedTuple

import msgspec

from headwater.platform.records.models.relationship import Place
from headwater.platform.records.models.writing import Writing

LevelShape = tuple[tuple[str, ...], bool]
"""What the SQL for a level depends on: the members of its rows, and whether some rows lack some of them."""


class Carried(NamedTuple):
    """The rows of one level of a nested body, wherever in it they stand.

    `label` is the member they stand under, in the rows of the level `above`; -1 for the body's own rows. `columns` are
    the members of any row that are no level themselves; `ragged` where not every row has all. `parents` are the rows
    above that carry each, `places` its place in their list; -1 where it is no list but the row itself. `texts` are the
    rows as JSON, without what stands in levels of its own.
    """

    label: str
    above: int
    columns: tuple[str, ...]
    ragged: bool
    rows: list[dict[str, msgspec.Raw]]
    texts: list[str]
    parents: list[int]
    places: list[int]

    @property
    def shape(self) -> LevelShape:
        """What two levels must have in common to share their SQL."""
        return self.columns, self.ragged


def path_of(levels: tuple[Carried, ...], number: int, row: int) -> str:
    """Where in the body a row of a level stands, such as `[0].lines[2]`; empty for a body that is one row."""
    level = levels[number]
    place = "" if level.places[row] < 0 else f"[{level.places[row]}]"
    if level.above < 0:
        return place
    return join_path(path_of(levels, level.above, level.parents[row]), f"{level.label}{place}")


def join_path(path: str, member: str) -> str:
    """The path of a member of what stands at `path`."""
    return f"{path}.{member}" if path else member


class Tie(msgspec.Struct, frozen=True):
    """Columns of a row that are filled from a key: from these of the columns that the other's insert gives back."""

    columns: tuple[str, ...]
    taken: tuple[int, ...]


class Addition(msgspec.Struct, frozen=True, kw_only=True):
    """The insert of rows into one relation, and which columns it gives back of each."""

    place: Place
    writing: Writing
    returned: tuple[str, ...] = ()


class Linking(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a junction: each has the key of a row above in its `near` columns, of a row of the level in `far`."""

    addition: Addition
    near: Tie
    far: Tie


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one relation in a nested insert; `above` is the level whose rows carry them, -1 for none.

    With `outgoing` the rows above refer to these, which are therefore added first, and `tie` fills the rows above;
    otherwise it fills these. A junction's rows are added after both.
    """

    label: str
    above: int
    many: bool
    addition: Addition
    outgoing: bool = False
    tie: Tie | None = None
    linking: Linking | None = None


class Nested(msgspec.Struct, frozen=True):
    """A nested insert: its levels, the body's own rows first, and the order in which they are added.

    The rows of the body are found again by `key`, places among what the insert of the first level gives back.
    """

    levels: tuple[Level, ...]
    order: tuple[int, ...]
    key: Tie
