"""When a board begins anew, and whether it is open."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from headwater.apps.scoreboard.errors import BoardClosed, InvalidBoard
from headwater.apps.scoreboard.models import Board, NewBoard, Resets

_MONTHS = 12
_FIRST_YEAR, _LAST_YEAR = 1970, 9000
_NOBODYS = frozenset({"incidents"})
"""Names of no board: what is told of it would come over a channel that means something else."""


def must_be_zone(zone: str) -> None:
    """Raises `InvalidBoard` for a name that the time zone database does not know."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as failure:
        raise InvalidBoard(field="zone", reason=f"{zone} is no time zone, such as Europe/Vienna") from failure


def next_reset(resets: Resets, zone: str, now: datetime) -> datetime | None:
    """The first midnight of `zone` after `now` at which the board begins anew; weeks begin on Monday.

    Where clocks are put forward at midnight, the day begins an hour later; where they are put back, at the first of
    the two midnights.
    """
    today = now.astimezone(ZoneInfo(zone)).date()
    match resets:
        case "none":
            return None
        case "daily":
            day = today + timedelta(days=1)
        case "weekly":
            day = today + timedelta(days=7 - today.weekday())
        case "monthly":
            years, month = divmod(today.year * _MONTHS + today.month, _MONTHS)
            day = today.replace(year=years, month=month + 1, day=1)
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(now.tzinfo)


def is_due(board: Board, now: datetime) -> bool:
    """Whether the board's season is over."""
    return board.next_reset is not None and board.next_reset <= now


def must_be_open(board: Board, now: datetime) -> None:
    """Raises `BoardClosed` before a tournament's start and from its end on."""
    if board.starts_at is not None and now < board.starts_at:
        raise BoardClosed(board=board.name, reason=f"it begins at {board.starts_at.isoformat()}")
    if board.ends_at is not None and now >= board.ends_at:
        raise BoardClosed(board=board.name, reason=f"it ended at {board.ends_at.isoformat()}")


def must_make_sense(board: NewBoard) -> None:
    """Raises `InvalidBoard` for a name that is kept, an unknown zone, and a tournament that ends before it begins."""
    if board.name in _NOBODYS:
        raise InvalidBoard(field="name", reason=f"{board.name} is kept for the admins' channel scoreboard:{board.name}")
    must_be_zone(board.zone)
    must_be_in_order(board.starts_at, board.ends_at)


def must_be_in_order(starts_at: datetime | None, ends_at: datetime | None) -> None:
    """Raises `InvalidBoard` for an end that is not after the start, and for moments out of every calendar."""
    for field, moment in (("startsAt", starts_at), ("endsAt", ends_at)):
        if moment is not None and not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            raise InvalidBoard(field=field, reason=f"must be between the years {_FIRST_YEAR} and {_LAST_YEAR}")
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        raise InvalidBoard(field="endsAt", reason="must be after startsAt")
