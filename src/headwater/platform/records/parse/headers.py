"""The headers that steer an answer: Prefer, Accept, Range."""

import re

import msgspec

from headwater.platform.records.errors import NoMediaType, NotImplementedHere, UnservableRange
from headwater.platform.records.models import MediaType, Preferences

_RANGE = re.compile(r"(\d{1,18})-(\d{0,18})")
_STRIPPED = "nulls=stripped"
_OBJECT = "application/vnd.pgrst.object+json"
_ARRAY = "application/vnd.pgrst.array+json"
_LATER = frozenset({"text/csv", "application/geo+json", "application/vnd.pgrst.plan", "application/openapi+json"})


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


def choose_media_type(header: str) -> MediaType:
    """The best form the `Accept` header (RFC 9110 12.5.1) allows; the first of equals.

    Raises `NoMediaType` where there is none.
    """
    if not header:
        return MediaType()
    offers = sorted(map(_offer, header.split(",")), key=lambda offer: -offer[2])
    for name, parameters, quality in offers:
        if quality > 0 and (media := _media_type(name, parameters)):
            return media
    for name, _, _ in offers:
        if name.partition("+")[0] in _LATER or name in _LATER:
            raise NotImplementedHere(details=f"{name} is not made yet")
    raise NoMediaType(accepted=header)


def _offer(text: str) -> tuple[str, tuple[str, ...], float]:
    """A media range, its parameters without `q`, and its quality."""
    name, *parameters = (word.strip().lower() for word in text.split(";"))
    quality = 1.0
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                quality = float(parameter[2:])
            except ValueError:
                quality = 0.0
    return name, tuple(word for word in parameters if not word.startswith("q=")), quality


def _media_type(name: str, parameters: tuple[str, ...]) -> MediaType | None:
    stripped = _STRIPPED in parameters
    match name:
        case "*/*" | "application/*" | "application/json":
            return MediaType()
        case "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object":
            return MediaType(name=_OBJECT, strip_nulls=stripped)
        case "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array":
            return MediaType(name=_ARRAY if stripped else "application/json", strip_nulls=stripped)
        case _:
            return None


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
