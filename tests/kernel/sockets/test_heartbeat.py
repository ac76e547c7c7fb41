"""One clock for every heartbeat."""

import pytest

from headwater.kernel.sockets.heartbeat import SLOTS, Beating, Heartbeat


class Heart:
    """Counts how often it was asked; answers unless it is `dead`."""

    def __init__(self, *, dead: bool = False) -> None:
        self.silent = 0
        self.beats = 0
        self.dead = dead

    def beat(self) -> None:
        """Asked for a sign of life."""
        self.beats += 1
        if not self.dead:
            self.silent = 0


@pytest.fixture
def lost() -> list[Beating]:
    return []


def heartbeat(lost: list[Beating], patience: float) -> Heartbeat:
    """A heartbeat of 25 seconds whose steps the test makes."""
    return Heartbeat(25.0, patience, lost.append)


def step(beating: Heartbeat, count: int) -> None:
    """Let so many seconds pass."""
    for _ in range(count):
        beating._tick()
        if beating._timer is not None:
            beating._timer.cancel()


async def test_each_is_asked_once_in_an_interval(lost: list[Beating]) -> None:
    beating = heartbeat(lost, 20.0)
    hearts = [Heart() for _ in range(60)]
    for at, heart in enumerate(hearts):
        beating.add(heart)
        if at % 3 == 0:
            step(beating, 1)
    before = [heart.beats for heart in hearts]
    step(beating, SLOTS * 4)
    assert [heart.beats - earlier for heart, earlier in zip(hearts, before, strict=True)] == [4] * 60
    assert lost == []


@pytest.mark.parametrize("patience", [1.0, 20.0, 24.5, 25.0, 30.0, 60.0])
async def test_who_is_silent_is_lost_after_the_timeout(lost: list[Beating], patience: float) -> None:
    beating = heartbeat(lost, patience)
    heart = Heart(dead=True)
    beating.add(heart)
    step(beating, SLOTS)
    assert heart.beats == 1
    step(beating, int(patience))
    assert lost == []
    step(beating, 3)
    assert lost == [heart]


async def test_who_answers_at_the_last_moment_is_not_lost(lost: list[Beating]) -> None:
    beating = heartbeat(lost, 20.0)
    heart = Heart(dead=True)
    beating.add(heart)
    step(beating, SLOTS + 20)
    heart.silent = 0  # the answer lay in the connection while the process was held up
    step(beating, 3)
    assert lost == []


async def test_who_left_is_not_asked(lost: list[Beating]) -> None:
    beating = heartbeat(lost, 20.0)
    heart = Heart()
    beating.add(heart)
    beating.remove(heart)
    step(beating, SLOTS * 2)
    assert heart.beats == 0


async def test_later_work_is_done_once_unless_it_is_settled(lost: list[Beating]) -> None:
    beating, done = heartbeat(lost, 20.0), list[str]()
    beating.later("one", 3.0, lambda: done.append("one"))
    beating.later("other", 3.0, lambda: done.append("other"))
    beating.settled("other")
    step(beating, 2)
    assert done == []
    step(beating, 50)
    assert done == ["one"]
