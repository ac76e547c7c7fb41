"""Decisions about names, positions and webhooks."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote, urlsplit

_PATTERN = re.compile(r"[A-Za-z0-9-]+(:[A-Za-z0-9%-]+)*")
LONGEST_NAME = 255
_PLAIN_HEADER = re.compile(r"[!-~]([ -~]*[!-~])?")
_HOUSE_EVENTS = frozenset({"presence:join", "presence:leave", "presence:update", "realtime:error"})
TABLE_PREFIX = "table:"
OPERATORS = ("eq", "neq", "gt", "gte", "lt", "lte", "in")
"""What a filter of a table's channel may ask; the words are those of rows over HTTP."""


def is_pattern(text: str) -> bool:
    """Whether an admin may give a channel this pattern (contracts/platform.md 1.6)."""
    return len(text) <= LONGEST_NAME and _PATTERN.fullmatch(text) is not None


def is_wild(pattern: str) -> bool:
    """Whether a pattern stands for more than one channel."""
    return "%" in pattern or "_" in pattern


def is_channel_name(text: str) -> bool:
    """Whether a channel can be called so."""
    return 0 < len(text) <= LONGEST_NAME and text.isprintable()


@lru_cache(4096)
def likeness(pattern: str) -> re.Pattern[str]:
    """What `name LIKE pattern` accepts, as a regular expression."""
    parts: list[str] = []
    letters = iter(pattern)
    for letter in letters:
        if letter == "\\":
            parts.append(re.escape(next(letters, "\\")))
        else:
            parts.append({"%": ".*", "_": "."}.get(letter, re.escape(letter)))
    return re.compile("".join(parts), re.DOTALL)


def matches(pattern: str, name: str) -> bool:
    """Whether a channel's name belongs to a pattern: it is equal, or SQL's LIKE says so."""
    return pattern == name or likeness(pattern).fullmatch(name) is not None


def precedence(pattern: str, name: str) -> tuple[bool, int, str]:
    """Of several patterns that match a name the least of these wins: the equal one, then the longest."""
    return (pattern != name, -len(pattern), pattern)


def speaks_as_the_house(event: str) -> bool:
    """Whether an event of this name is the house's own to tell."""
    return event in _HOUSE_EVENTS


def tells_a_table(channel: str) -> bool:
    """Whether a channel carries a table's changes, and nothing that anybody publishes."""
    return channel.startswith(TABLE_PREFIX)


def source_of(channel: str) -> str:
    """The channel of the log that a channel is told from: `table:<schema>.<table>` whatever its filter, else itself."""
    return ":".join(channel.split(":", 2)[:2]) if tells_a_table(channel) else channel


def read_moment(text: str) -> datetime | None:
    """A date, or a date and time, by ISO 8601; without a zone it is UTC's. None for what is none."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def first_unusable(urls: Sequence[str]) -> int | None:
    """Where in a list the first URL stands that cannot be a webhook's."""
    return next((place for place, url in enumerate(urls) if not is_webhook_url(url)), None)


def is_webhook_url(url: str) -> bool:
    """Whether a message may be sent there: http or https, a host, and no name and password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    is_web = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None
    return is_web and url.isprintable() and " " not in url


def header_of(text: str) -> str:
    """A text as the value of a header: as it is where a header can hold it, else percent-encoded."""
    return text if _PLAIN_HEADER.fullmatch(text) else quote(text, safe="")
