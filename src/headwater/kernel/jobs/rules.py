"""When what is tried again, and when a timer is due next."""

from datetime import datetime, timedelta

_LONGEST_PAUSE = timedelta(hours=1)


def pause_after(attempt: int, backoff: timedelta) -> timedelta:
    """How long a job waits after its `attempt`-th failure: `backoff`, doubled each time, at most an hour."""
    return min(backoff * 2 ** min(attempt - 1, 30), _LONGEST_PAUSE)


def next_due(due: datetime, every: timedelta, now: datetime) -> datetime:
    """The first moment of the timer's rhythm after `now`: what was missed is made up for once, not each time."""
    return due + every * ((now - due) // every + 1)
