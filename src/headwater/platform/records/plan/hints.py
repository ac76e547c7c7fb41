"""What the caller may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches

from headwater.platform.records.errors import NotEmbedded

_CLOSE = 0.75
_TOO_MANY = 500


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like `name`, if one is three quarters alike; none among 500 or more, to bound the work."""
    known = list(candidates)
    if len(known) >= _TOO_MANY:
        return None
    return next(iter(get_close_matches(name, known, n=1, cutoff=_CLOSE)), None)


def not_embedded(name: str) -> NotEmbedded:
    """The refusal of a filter, an order or a limit that speaks of a relation which is not embedded."""
    return NotEmbedded(relation=name, hint=f"Verify that '{name}' is included in the 'select' query parameter.")
