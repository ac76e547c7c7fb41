"""The `Accept` header: the forms an answer can have, and the one that is chosen."""

import re

from headwater.platform.records.errors import NoMediaType
from headwater.platform.records.models import Explanation, MediaType

PLAN = "application/vnd.pgrst.plan"
GEOGRAPHIC = "application/geo+json"
LINES = "application/x-ndjson"
CSV_LINES = "application/vnd.headwater.stream+csv"
STREAMED = frozenset({LINES, CSV_LINES})
_STRIPPED = "nulls=stripped"
_OBJECT = "application/vnd.pgrst.object+json"
_ARRAY = "application/vnd.pgrst.array+json"
_OPTIONS = ("analyze", "verbose", "settings", "buffers", "wal")
_RANGE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
_WORD = re.compile(r'(?:[^;"]|"(?:[^"\\]|\\.)*"?)+')
_NEEDS_POSTGIS = "application/geo+json is made by PostGIS: create extension postgis"
_NEEDS_PLANS = "Plans are told where the setting HEADWATER_RECORDS_PLAN is on"


def choose_media_type(header: str, offered: frozenset[str] = frozenset()) -> MediaType:
    """The best form the `Accept` header (RFC 9110 12.5.1) allows; the first of equals.

    `offered` are the forms beyond the usual ones that can be made here: `PLAN`, `GEOGRAPHIC`, those of `STREAMED`.
    Raises `NoMediaType` where there is none.
    """
    if not header:
        return MediaType()
    ranges = sorted((_offer(text) for text in _RANGE.findall(header)), key=lambda offer: -offer[2])
    for name, parameters, quality in ranges:
        if quality > 0 and (media := _media_type(name, parameters, offered)):
            return media
    raise NoMediaType(accepted=header, hint=_hint({name for name, _, _ in ranges}))


def _offer(text: str) -> tuple[str, tuple[str, ...], float]:
    """A media range, its parameters without `q`, and its quality."""
    name, *parameters = (word.strip() for word in _WORD.findall(text)) if text.strip(" ;") else ("",)
    quality = 1.0
    for parameter in parameters:
        if parameter.lower().startswith("q="):
            try:
                quality = float(parameter[2:])
            except ValueError:
                quality = 0.0
    return name.lower(), tuple(word for word in parameters if not word.lower().startswith("q=")), quality


def _media_type(name: str, parameters: tuple[str, ...], offered: frozenset[str]) -> MediaType | None:
    stripped = any(word.lower() == _STRIPPED for word in parameters)
    match name:
        case "*/*" | "application/*" | "application/json":
            return MediaType()
        case "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object":
            return MediaType(name=_OBJECT, strip_nulls=stripped)
        case "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array":
            return MediaType(name=_ARRAY if stripped else "application/json", strip_nulls=stripped)
        case _:
            return _rarer_type(name, parameters, offered)


def _rarer_type(name: str, parameters: tuple[str, ...], offered: frozenset[str]) -> MediaType | None:
    if name in {"text/csv", "text/*"}:
        return MediaType(name="text/csv")
    if name == LINES and name in offered:
        return MediaType(name="application/x-ndjson", strip_nulls=any(p.lower() == _STRIPPED for p in parameters))
    if name == CSV_LINES and name in offered:
        return MediaType(name="application/vnd.headwater.stream+csv")
    if name == GEOGRAPHIC and name in offered:
        return MediaType(name="application/geo+json")
    if name in {PLAN, f"{PLAN}+text", f"{PLAN}+json"} and PLAN in offered:
        return _plan(name, parameters, offered)
    return None


def _plan(name: str, parameters: tuple[str, ...], offered: frozenset[str]) -> MediaType | None:
    """The plan of what `for` names; None where that cannot be made."""
    told = {word.partition("=")[0].lower(): word.partition("=")[2].strip('"') for word in parameters}
    form = _media_type(*_offer(told.get("for", "application/json"))[:2], offered - {PLAN} - STREAMED)
    if form is None:
        return None
    asked = told.get("options", "").lower().split("|")
    explained = Explanation(as_text=not name.endswith("+json"), options=tuple(o for o in _OPTIONS if o in asked))
    return MediaType(name=form.name, strip_nulls=form.strip_nulls, explained=explained)


def _hint(names: set[str]) -> str | None:
    if GEOGRAPHIC in names:
        return _NEEDS_POSTGIS
    return _NEEDS_PLANS if any(name.startswith(PLAN) for name in names) else None
