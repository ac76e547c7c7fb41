"""What lies in a house together: no component answers to a name of another's."""

import msgspec
import pytest

from headwater.boot.components import find_components, must_be_told_apart
from headwater.boot.errors import ClashingNames
from headwater.kernel.component import Component, Components

[SCOREBOARD] = [component for component in find_components() if component.name == "scoreboard"]


def copied(**changed: object) -> Components:
    """The house, and beside it a copy of the scoreboard of which only so much keeps its names."""
    bare = Component(name="league", package="league", operations=SCOREBOARD.operations)
    return Components((*find_components(), msgspec.structs.replace(bare, **changed)))


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("schemas", "The schema scoreboard is declared by scoreboard and by league: rename one of them"),
        ("events", "The event ScoreChanged is declared by scoreboard and by league: rename one of them"),
        ("timers", "The timer scoreboard.reset_due_boards is"),
        ("consumers", "The consumer scoreboard.count_hour is"),
        ("followers", "The follower scoreboard.renewal is"),
        ("observations", "The metric rank_entries is"),
        ("endpoints", "The limit scoreboard.door is"),
    ],
)
def test_a_copy_that_kept_a_name_would_hear_what_is_meant_for_another(part: str, sentence: str) -> None:
    with pytest.raises(ClashingNames, match=sentence):
        must_be_told_apart(copied(**{part: getattr(SCOREBOARD, part)}))


def test_what_has_names_of_its_own_stands_beside_it() -> None:
    must_be_told_apart(copied(schemas=("league",)))
