"""Where a browser may be sent on to from a letter: a list of patterns, and nowhere else."""

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from headwater.kernel.errors import InvalidInput
from headwater.platform.identity.errors import RedirectNotAllowed

_UNFIT = re.compile(r"[\x00-\x20\x7f\\]")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_RUNS_CODE = frozenset({"javascript", "data", "vbscript", "file", "blob", "about", "view-source"})
_WEB = {"http": "80", "https": "443"}
_CLIMBS = re.compile(r"(^|/)(\.|%2e){1,2}(/|$)", re.IGNORECASE)


def must_be_allowed(url: str, allowed: Iterable[str], own: str) -> None:
    """Raises `RedirectNotAllowed` unless the URL is below our own address `own` or fits a pattern.

    Scheme, host with port, and path are compared one by one, so no star of one reaches into another; query and
    fragment are free. An empty list therefore allows our own address alone.
    """
    wanted = _parts(url)
    if wanted is None:
        raise RedirectNotAllowed(url=url[:200])
    ours = _parts(own)
    if ours is not None and wanted[:2] == ours[:2]:
        return
    if not any(_fits(wanted, pattern) for pattern in allowed):
        raise RedirectNotAllowed(url=url[:200])


def must_be_pattern(place: str, pattern: str) -> None:
    """Raises `InvalidInput` for what could be no pattern, naming its place."""
    scheme, divider, rest = pattern.partition(":")
    sound = divider and rest.lstrip("/") and _SCHEME.fullmatch(scheme.lower()) and not _UNFIT.search(pattern)
    if not sound or scheme.lower() in _RUNS_CODE:
        raise InvalidInput(reason=f"{place}: must be a URL such as https://app.example.com/**")
    if _glob(pattern) is None:
        raise InvalidInput(reason=f"{place}: its brackets do not match")


def with_parameters(url: str, **parameters: str) -> str:
    """The URL with parameters added to its query; those of the same name are replaced."""
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in parameters]
    return urlunsplit(parts._replace(query=urlencode([*kept, *parameters.items()])))


def _parts(url: str) -> tuple[str, str, str] | None:
    """Scheme, host with port, and path; None for what a browser might read otherwise than we do."""
    if _UNFIT.search(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    scheme, host = parts.scheme.lower(), parts.netloc.lower()
    if not scheme or scheme in _RUNS_CODE or "@" in host or _CLIMBS.search(parts.path):
        return None
    if scheme not in _WEB:  # an app's own scheme leads into that app, wherever it leads there
        return scheme, "", (f"//{parts.netloc}" if parts.netloc else "") + parts.path
    if not parts.hostname:
        return None
    if str(port) == _WEB[scheme]:
        host = host.removesuffix(f":{port}")
    return scheme, host, parts.path or "/"


def _fits(wanted: tuple[str, str, str], pattern: str) -> bool:
    scheme, _, rest = pattern.partition(":")
    scheme, host, path = scheme.lower(), "", rest
    if scheme in _WEB:
        host, slash, path = rest.removeprefix("//").partition("/")
        host, path = host.lower().removesuffix(f":{_WEB[scheme]}"), slash + path or "/"
    globs = (_glob(host, "[^/:]*"), _glob(path))
    return scheme == wanted[0] and all(
        glob is not None and glob.fullmatch(text) for glob, text in zip(globs, wanted[1:], strict=True)
    )


@lru_cache(maxsize=1024)
def _glob(pattern: str, star: str = "[^/]*") -> re.Pattern[str] | None:
    """A pattern with `*`, `**`, `?` and `[...]` as an expression; None if its brackets do not match.

    Strangers choose what it is tried on, so it may not try again what it has tried: behind a star the nearest place
    that fits is the best one, and all but the last of the stars keep it (an atomic group). It takes at most the square
    of the text's length, however many stars there are.
    """
    runs: list[list[str]] = [[""]]
    for piece in re.split(r"(\*{2,}|\*|\?|\[[^\]/]+\])", pattern):
        if piece == "*":
            runs[-1].append("")
        elif piece.startswith("**"):
            runs.append([""])
        else:
            runs[-1][-1] += _piece(piece)
    *others, last = runs
    nearest = [_nearest(run, star) for run in others]
    beginning = "".join([*nearest[:1], *(f"(?>.*?{run})" for run in nearest[1:]), ".*?" if others else ""])
    end = f"{_nearest(last[:-1], star)}{star}{last[-1]}" if len(last) > 1 else last[0]
    try:
        return re.compile(beginning + end)
    except re.error:
        return None


def _nearest(parts: list[str], star: str) -> str:
    """What lies between stars, each at the nearest place behind the one before."""
    return parts[0] + "".join(f"(?>{star}?{part})" for part in parts[1:])


def _piece(piece: str) -> str:
    """A piece without stars as an expression."""
    if piece == "?":
        return "[^/]"
    if piece.startswith("[") and piece.endswith("]"):
        inner = piece[1:-1]
        negated = inner[0] in "!^" and len(inner) > 1
        return f"[{'^/' if negated else ''}{_set(inner[1:] if negated else inner)}]"
    return re.escape(piece)


def _set(inner: str) -> str:
    """The characters of a bracket, where only the dash between two means more than itself."""
    return re.sub(r"([\\\]\[^&|~])", r"\\\1", inner)
