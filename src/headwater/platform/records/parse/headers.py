"""The headers that steer an answer: Prefer, Range."""

import re

import msgspec

from headwater.platform.records.errors import UnservableRange
from headwater.platform.records.models import Preferences

_RANGE = re.compile(r"(\d{1,18})-(\d{0,18})")


def parse_preferences(header: str) -> Preferences:
    """The `Prefer` header (RFC 7240): `name=value` with commas between; of repeated names the first wins."""
    chosen: dict[str, str | int] = {}
    unknown: list[str] = []
    for part in header.split(","):
        preference = part.strip()
        name, _, value = (word.strip() for word in preference.partition("="))
        known = _known(name, value)
        if known is not None:
            chosen.setdefault(*known)
        elif preference:
            unknown.append(preference)
    return msgspec.convert({**chosen, "unknown": unknown}, Preferences)


def _known(name: str, value: str) -> tuple[str, str | int] | None:
    """The field and the value of a preference this dialect has, or None."""
    if name == "max-affected":
        return ("max_affected", int(value)) if value.isascii() and value.isdigit() and len(value) < 19 else None
    if name == "timezone":
        return ("timezone", value) if value else None
    field = "representation" if name == "return" else name
    return (field, value) if value in _VALUES.get(name, ()) else None


_VALUES = {
    "resolution": ("merge-duplicates", "ignore-duplicates"),
    "missing": ("default", "null"),
    "return": ("minimal", "representation", "headers-only"),
    "count": ("exact", "planned", "estimated"),
    "tx": ("commit", "rollback"),
    "handling": ("strict", "lenient"),
}


def parse_range(header: str) -> tuple[int, int | None]:
    """The `Range` header as offset and limit: `0-9` are ten rows, `10-` all from the eleventh; (0, None) if unreadable.

    Raises `UnservableRange` where it ends before it begins.
    """
    found = _RANGE.fullmatch(header.removeprefix("items=").strip())
    if not found:
        return 0, None
    first = int(found[1])
    if not found[2]:
        return first, None
    last = int(found[2])
    if last < first:
        raise UnservableRange(
            details="The lower boundary must be lower than or equal to the upper boundary in the Range header."
        )
    return first, last - first + 1
