"""The `Accept` header: the forms an answer can have, and the one that is chosen."""

import re
from typing import NamedTuple

import msgspec

from headwater.platform.records.errors import NoMediaType
from headwater.platform.records.models import ANYTHING, NO_HANDLERS, Explanation, Handlers, MediaType

PLAN = "application/vnd.pgrst.plan"
GEOGRAPHIC = "application/geo+json"
LINES = "application/x-ndjson"
CSV_LINES = "application/vnd.headwater.stream+csv"
STREAMED = frozenset({LINES, CSV_LINES})
_PLANS = frozenset({PLAN, f"{PLAN}+text", f"{PLAN}+json"})
_STRIPPED = "nulls=stripped"
_JSON = "application/json"
_OBJECT = "application/vnd.pgrst.object+json"
_ARRAY = "application/vnd.pgrst.array+json"
_OPTIONS = ("analyze", "verbose", "settings", "buffers", "wal")
_RANGE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
_WORD = re.compile(r'(?:[^;"]|"(?:[^"\\]|\\.)*"?)+')
_NEEDS_POSTGIS = "application/geo+json is made by PostGIS: create extension postgis"
_NEEDS_PLANS = "Plans are told where the setting HEADWATER_RECORDS_PLAN is on"


class Forms(NamedTuple):
    """What can be made here beyond the usual forms.

    `offered` are `PLAN`, `GEOGRAPHIC` and those of `STREAMED`; `handlers` the database's own, which may take the place
    of any but the dialect's; `whole` where nothing but every column is selected.
    """

    offered: frozenset[str] = frozenset()
    handlers: Handlers = NO_HANDLERS
    whole: bool = True


USUAL_FORMS = Forms()


def choose_media_type(header: str, forms: Forms = USUAL_FORMS) -> MediaType:
    """The best form the `Accept` header (RFC 9110 12.5.1) allows; the first of equals.

    Raises `NoMediaType` where there is none.
    """
    ranges = sorted((_offer(text) for text in _RANGE.findall(header or ANYTHING)), key=lambda offer: -offer[2])
    for name, parameters, quality in ranges:
        if quality > 0 and (media := _media_type(name, parameters, forms)):
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


def _media_type(name: str, parameters: tuple[str, ...], forms: Forms) -> MediaType | None:
    """The form of this name: the dialect's own, the database's, or a usual one."""
    stripped = any(word.lower() == _STRIPPED for word in parameters)
    match name:
        case "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object":
            return MediaType(name=_OBJECT, strip_nulls=stripped)
        case "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array" if stripped:
            return MediaType(name=_ARRAY, strip_nulls=True)
        case "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array":
            name = _JSON
        case _ if name in _PLANS:
            return _plan(name, parameters, forms) if PLAN in forms.offered else None
        case _:
            pass
    return forms.handlers.find(name, whole=forms.whole) or _usual_type(name, forms.offered, stripped=stripped)


def _usual_type(name: str, offered: frozenset[str], *, stripped: bool) -> MediaType | None:
    if name in {ANYTHING, "application/*", _JSON}:
        return MediaType()
    if name in {"text/csv", "text/*"}:
        return MediaType(name="text/csv")
    if name in offered:
        return MediaType(name=name, strip_nulls=stripped and name == LINES)
    return None


def _plan(name: str, parameters: tuple[str, ...], forms: Forms) -> MediaType | None:
    """The plan of what `for` names; None where that cannot be made."""
    told = {word.partition("=")[0].lower(): word.partition("=")[2].strip('"') for word in parameters}
    alone = forms._replace(offered=forms.offered - {PLAN} - STREAMED)
    form = _media_type(*_offer(told.get("for", _JSON))[:2], alone)
    if form is None:
        return None
    asked = told.get("options", "").lower().split("|")
    explained = Explanation(as_text=not name.endswith("+json"), options=tuple(o for o in _OPTIONS if o in asked))
    return msgspec.structs.replace(form, explained=explained)


def _hint(names: set[str]) -> str | None:
    if GEOGRAPHIC in names:
        return _NEEDS_POSTGIS
    return _NEEDS_PLANS if any(name.startswith(PLAN) for name in names) else None
