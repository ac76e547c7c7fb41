"""Cron expressions name the right moments, also where clocks are put forward or back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.kernel.jobs import Timer, WrongDeclaration
from headwater.kernel.jobs.cron import next_match

BERLIN = "Europe/Berlin"


async def nothing(*_: object) -> None: ...


def matches(expression: str, zone: str, begin: str, count: int) -> list[str]:
    """The next matches, as clocks in the zone show them, with their offset."""
    place, now, shown = ZoneInfo(zone), datetime.fromisoformat(begin).replace(tzinfo=UTC), list[str]()
    for _ in range(count):
        now = next_match(expression, zone, now)
        shown.append(f"{now.astimezone(place):%m-%d %H:%M %z}")
    return shown


@pytest.mark.parametrize(
    ("expression", "zone", "begin", "expected"),
    [
        ("30 4 * * *", "UTC", "2030-01-01T04:30", ["01-02 04:30 +0000", "01-03 04:30 +0000"]),
        ("30 4 * * *", BERLIN, "2030-03-30T12:00", ["03-31 04:30 +0200", "04-01 04:30 +0200"]),
        ("30 2 * * *", BERLIN, "2030-03-30T00:00", ["03-30 02:30 +0100", "03-31 03:30 +0200", "04-01 02:30 +0200"]),
        ("30 2 * * *", BERLIN, "2030-03-31T01:10", ["03-31 03:30 +0200", "04-01 02:30 +0200"]),
        ("30 2 * * *", BERLIN, "2030-10-26T12:00", ["10-27 02:30 +0200", "10-28 02:30 +0100"]),
        ("30 2 * * *", BERLIN, "2030-10-27T01:00", ["10-28 02:30 +0100"]),
        ("0 * * * *", BERLIN, "2030-10-26T23:30", ["10-27 02:00 +0200", "10-27 02:00 +0100", "10-27 03:00 +0100"]),
        ("30 * * * *", BERLIN, "2030-03-30T23:40", ["03-31 01:30 +0100", "03-31 03:30 +0200", "03-31 04:30 +0200"]),
        ("*/20 * * * *", BERLIN, "2030-10-27T00:30", ["10-27 02:40 +0200", "10-27 02:00 +0100", "10-27 02:20 +0100"]),
        ("0 12 29 2 *", "UTC", "2030-01-01T00:00", ["02-29 12:00 +0000"]),
        ("59 23 31 12 *", "Pacific/Kiritimati", "2030-01-01T00:00", ["12-31 23:59 +1400"]),
        ("15 2 * * *", "Australia/Lord_Howe", "2030-10-05T00:00", ["10-06 02:45 +1100", "10-07 02:15 +1100"]),
        ("0 9 * * mon-fri", "America/New_York", "2030-03-08T20:00", ["03-11 09:00 -0400"]),
    ],
)
def test_moments(expression: str, zone: str, begin: str, expected: list[str]) -> None:
    assert matches(expression, zone, begin, len(expected)) == expected


def test_a_leap_day_is_waited_for() -> None:
    assert next_match("0 12 29 2 *", "UTC", datetime(2030, 1, 1, tzinfo=UTC)) == datetime(2032, 2, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize("zone", [BERLIN, "America/St_Johns", "Australia/Lord_Howe", "Asia/Kolkata"])
@given(minutes=st.integers(0, 366 * 24 * 60), seconds=st.integers(0, 59))
def test_every_hour_means_every_hour_that_passes(zone: str, minutes: int, seconds: int) -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes, seconds=seconds)
    found, walked = next_match("30 * * * *", zone, now), now.replace(second=0) + timedelta(minutes=1)
    while walked.astimezone(ZoneInfo(zone)).minute != 30:
        walked += timedelta(minutes=1)
    assert found == walked


@given(minutes=st.integers(0, 366 * 24 * 60))
def test_a_time_of_day_comes_once_a_day(minutes: int) -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    first = next_match("30 2 * * *", BERLIN, now)
    second = next_match("30 2 * * *", BERLIN, first)
    days = [moment.astimezone(ZoneInfo(BERLIN)).date() for moment in (first, second)]
    assert first > now and days[1] - days[0] == timedelta(days=1)


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"cron": "* * * *"}, "five fields"),
        ({"cron": "* * * * * *"}, "five fields"),
        ({"cron": "61 * * * *"}, "no cron expression"),
        ({"cron": "0 0 30 2 *"}, "no cron expression"),
        ({"cron": "r * * * *"}, "random"),
        ({"cron": "0 0 * * *", "zone": "Europe/Atlantis"}, "no time zone"),
        ({"cron": "0 0 * * *", "zone": "../../etc/passwd"}, "no time zone"),
        ({"cron": "0 0 * * *", "every": timedelta(1)}, "either every or cron"),
        ({}, "either every or cron"),
        ({"every": timedelta(0)}, "longer than nothing"),
    ],
)
def test_a_rhythm_that_cannot_be_kept_is_refused_where_it_is_declared(declared: dict[str, object], told: str) -> None:
    with pytest.raises(WrongDeclaration, match=told):
        Timer(name="tick", operation=nothing, **declared)  # pyright: ignore[reportArgumentType]
