"""Pauses double up to an hour; a timer keeps its rhythm, whatever it missed."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from headwater.kernel.jobs.rules import next_due, pause_after

START = datetime(2030, 1, 1, tzinfo=UTC)


def test_pauses_double_up_to_an_hour() -> None:
    pauses = [pause_after(attempt, timedelta(seconds=1)).total_seconds() for attempt in (1, 2, 3, 4, 12, 13, 10**6)]
    assert pauses == [1, 2, 4, 8, 2048, 3600, 3600]


@given(st.floats(0.001, 1e6), st.floats(0, 1e7))
def test_a_timer_is_next_due_at_its_first_beat_after_now(every: float, late: float) -> None:
    step, now = timedelta(seconds=every), START + timedelta(seconds=late)
    due = next_due(START, step, now)
    assert now < due <= now + step
    assert (due - START) % step == timedelta(0)
