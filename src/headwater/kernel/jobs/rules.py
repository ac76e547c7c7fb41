"""When what is tried again."""

from datetime import timedelta

_LONGEST_PAUSE = timedelta(hours=1)


def pause_after(attempt: int, backoff: timedelta) -> timedelta:
    """How long a job waits after its `attempt`-th failure: `backoff`, doubled each time, at most an hour."""
    return min(backoff * 2 ** min(attempt - 1, 30), _LONGEST_PAUSE)
