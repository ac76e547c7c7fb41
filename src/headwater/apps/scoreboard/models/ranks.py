"""Ranks: what is told of an entry, what changes one, and what a comparison with the rows found."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from headwater.kernel.observe import ComponentObservation, MetricOf


class Standing(msgspec.Struct, frozen=True):
    """An entry of a board and its exact rank; ranks count from 1, and no two entries share one."""

    user_id: UUID
    score: int
    reached_at: datetime
    rank: int


class Change(msgspec.Struct, frozen=True):
    """How an entry stands after a commit; of two changes of one player the one with the greater revision is true."""

    board: str
    season: int
    user_id: UUID
    score: int | None
    """None: no longer there, because it was hidden or removed."""
    standing: int
    reached_at: datetime
    revision: int


class LiveSeason(msgspec.Struct, frozen=True):
    """A board in the season that runs."""

    board: str
    season: int
    ascending: bool


class Comparison(msgspec.Struct, frozen=True):
    """What was compared with the rows, and how it differed before it was mended.

    A change that was committed and not yet told when the rows were read counts as `missing` or `late` too: a few of
    them are a busy board, many are changes that were lost.
    """

    board: str
    season: int
    entries: int = 0
    loaded: bool = False
    """Whether there was nothing to compare with yet: then no difference counts."""
    complete: bool = True
    """False where another node is at it, or the board is gone."""
    missing: int = 0
    late: int = 0
    """Entries with an older revision than their row's."""
    wrong: int = 0
    """Entries with their row's revision that say something else."""
    surplus: int = 0
    """Entries without a row."""

    @property
    def differences(self) -> int:
        """How many entries were not as their rows are."""
        return 0 if self.loaded else self.missing + self.late + self.wrong + self.surplus


class RanksCompared(ComponentObservation, frozen=True):
    """The ranks of a board were compared with its rows: how many entries it has, and how many had to be mended."""

    board: str
    entries: int
    differences: int

    metrics: ClassVar[tuple[MetricOf, ...]] = (
        MetricOf(
            name="rank_entries", text="Entries that have a rank", kind="gauge", value="entries", labels=("board",)
        ),
        MetricOf(
            name="rank_differences",
            text="Entries of ranks that were not as their rows are",
            kind="counter",
            value="differences",
            labels=("board",),
        ),
    )
