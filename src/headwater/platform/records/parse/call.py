"""The query of a call: which of its parameters are arguments, and which speak of what comes back."""

import re

from headwater.platform.records.parse.filters import OPERATORS

_OPERATOR = re.compile(r"(?:not\.)?([a-z]+)(?:\([^()]*\))?\.")
_STRUCTURAL = frozenset(
    {"select", "order", "columns", "on_conflict", "limit", "offset", "and", "or", "not.and", "not.or"}
)
_ENDINGS = (".order", ".limit", ".offset", ".and", ".or")


def is_argument(key: str, value: str) -> bool:
    """Whether a parameter is an argument: no word of the grammar, and its value begins with no operator."""
    if key in _STRUCTURAL or key.endswith(_ENDINGS):
        return False
    found = _OPERATOR.match(value)
    return found is None or found[1] not in OPERATORS
