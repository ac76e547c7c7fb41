"""What the caller may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches

_CLOSE = 0.75
_TOO_MANY = 500


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like `name`, if one is three quarters alike; none among 500 or more, to bound the work."""
    known = list(candidates)
    if len(known) >= _TOO_MANY:
        return None
    return next(iter(get_close_matches(name, known, n=1, cutoff=_CLOSE)), None)
