"""Cron expressions in a time zone, also on the days when clocks are put forward or back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterError, croniter

from headwater.kernel.jobs.faults import WrongDeclaration

_FIELDS = 5
_STEP = timedelta(days=1)
_RESOLUTION = timedelta(seconds=1)


def must_be_cron(name: str, expression: str, zone: str) -> None:
    """Refuse what is not five fields, never comes, or names no time zone; raises `WrongDeclaration`."""
    try:
        fields = expression.split()
        if len(fields) != _FIELDS:
            raise WrongDeclaration(name, f"{expression!r} is not five fields: minute, hour, day, month, weekday")
        if any(field[0] in "rR" for field in fields):
            raise WrongDeclaration(name, f"{expression!r} asks for a random time, another one on every node")
        next_match(expression, zone, datetime(2000, 1, 1, tzinfo=UTC))
    except CroniterError as failure:
        raise WrongDeclaration(name, f"{expression!r} is no cron expression: {failure}") from failure
    except (ZoneInfoNotFoundError, ValueError) as failure:
        if isinstance(failure, WrongDeclaration):
            raise
        raise WrongDeclaration(name, f"there is no time zone {zone!r}") from failure


def next_match(expression: str, zone: str, now: datetime) -> datetime:
    """The first moment after `now` that the expression names in the zone, in UTC.

    Where the hour is `*`, every hour that passes counts: the hour that clocks repeat is run through twice, the one
    they skip not at all. Else the expression names times of the day, each of which comes once: one that is skipped
    comes as long after the change as it lay behind it, one that is repeated comes the first time only.
    Source: RFC 5545 3.3.5, for times that do not occur or occur twice.
    """
    place = UTC if zone == "UTC" else ZoneInfo(zone)
    if expression.split()[1] == "*":
        return _next_passing(expression, place, now)
    return _next_of_day(expression, place, now)


def _next_of_day(expression: str, place: tzinfo, now: datetime) -> datetime:
    put_forward = max(_offset(place, now) - _offset(place, now - _STEP), timedelta(0))
    begin = _wall(place, now) - put_forward  # a skipped time may still be to come, though clocks show more than it
    for wall in _walls(expression, begin):
        moment = wall.replace(tzinfo=place).astimezone(UTC)  # fold 0: the offset before the change
        if moment > now:
            return moment
    raise AssertionError  # the walls never end


def _next_passing(expression: str, place: tzinfo, now: datetime) -> datetime:
    """The next match among the moments of one offset, else among those of the offset after it."""
    start = begin = now
    while True:
        offset = _offset(place, start)
        match = next(_walls(expression, begin.replace(tzinfo=None) + offset))
        moment = (match - offset).replace(tzinfo=UTC)
        change = _first_change(place, start, moment)
        if change is None:
            return moment
        start, begin = change, change - _RESOLUTION


def _walls(expression: str, begin: datetime) -> Iterator[datetime]:
    """What clocks show at each match after `begin`, as if they were never changed."""
    matches = croniter(expression, begin)
    while True:
        yield matches.get_next(datetime)


def _wall(place: tzinfo, moment: datetime) -> datetime:
    return moment.astimezone(place).replace(tzinfo=None)


def _offset(place: tzinfo, moment: datetime) -> timedelta:
    return moment.astimezone(place).utcoffset() or timedelta(0)


def _first_change(place: tzinfo, begin: datetime, end: datetime) -> datetime | None:
    """The first moment after `begin`, and not after `end`, with another offset than `begin`; to the second."""
    offset, early = _offset(place, begin), begin
    while early < end:
        late = min(early + _STEP, end)
        if _offset(place, late) != offset:
            while late - early > _RESOLUTION:
                middle = early + (late - early) / 2
                early, late = (middle, late) if _offset(place, middle) == offset else (early, middle)
            return late.replace(microsecond=0)
        early = late
    return None
