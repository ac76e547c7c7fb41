"""Pauses double up to an hour; a timer keeps its rhythm, whatever it missed; calls with one key are one."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from headwater.kernel.jobs import Timer
from headwater.kernel.jobs.faults import told_error, told_traceback
from headwater.kernel.jobs.models import Ticket
from headwater.kernel.jobs.recorder import joined
from headwater.kernel.jobs.rules import pause_after

START = datetime(2030, 1, 1, tzinfo=UTC)


async def nothing(*_: object) -> None: ...


def ticket(key: str | None, priority: int = 0, due: datetime | None = None) -> Ticket:
    return Ticket(id=uuid4(), job="mark", arguments=msgspec.Raw(b"{}"), priority=priority, unique_key=key, due=due)


def test_pauses_double_up_to_an_hour() -> None:
    pauses = [pause_after(attempt, timedelta(seconds=1)).total_seconds() for attempt in (1, 2, 3, 4, 12, 13, 10**6)]
    assert pauses == [1, 2, 4, 8, 2048, 3600, 3600]


@given(st.floats(0.001, 1e6), st.floats(0, 1e7))
def test_a_timer_is_next_due_at_its_first_beat_after_now(every: float, late: float) -> None:
    step, now = timedelta(seconds=every), START + timedelta(seconds=late)
    due = Timer(name="tick", every=step, operation=nothing).next_due(START, now)
    assert now < due <= now + step
    assert (due - START) % step == timedelta(0)


def test_calls_of_one_key_are_the_first_of_them_with_the_best_of_all() -> None:
    later, soon = START + timedelta(days=2), START + timedelta(days=1)
    first, other, alone = ticket("a", 1, later), ticket("b"), ticket(None)
    kept = joined([first, alone, other, ticket("a", 3, soon), ticket("a", 2, later), ticket(None)])
    assert [one.unique_key for one in kept] == ["a", None, "b", None]
    assert (kept[0].id, kept[0].priority, kept[0].due) == (first.id, 3, soon)
    assert joined([first, ticket("a")])[0].due is None


def test_a_failure_is_told_as_postgres_can_keep_it() -> None:
    failure = ValueError("nul \0 and much " + "x" * 10_000)
    assert told_error(failure).startswith("ValueError: nul  and much x")
    assert len(told_error(failure)) == 1000
    assert "\0" not in told_traceback(failure) and len(told_traceback(failure)) == 8000
