"""The decisions, for whatever anybody may come up with."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.kernel.errors import NotAUser
from headwater.kernel.vault import MasterKey, Vault
from tests.kit.house import ADMIN, USER

from .. import rules
from ..actions import Signer
from ..errors import (
    BoardClosed,
    ExpiredAction,
    ForeignAction,
    InvalidBoard,
    InvalidIncrement,
    TooManyFriends,
    UnknownActionType,
)
from ..models import ActionToCount, AskedAction, Board, NewBoard, ScoreboardSettings
from ..models.boards import Resets

ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Vienna",
        "America/Sao_Paulo",
        "America/Havana",
        "Asia/Beirut",
        "Asia/Kathmandu",
        "Pacific/Apia",
        "Africa/Cairo",
        "America/Santiago",
        "Australia/Lord_Howe",
        "America/Asuncion",
        "Pacific/Kiritimati",
    ]
)
MOMENTS = st.integers(788918400, 2840140800).map(lambda second: datetime.fromtimestamp(second, UTC))
"""Seconds of 1995 to 2059."""
RHYTHMS: st.SearchStrategy[Resets] = st.sampled_from(["daily", "weekly", "monthly"])
LONGEST = {"daily": timedelta(hours=49), "weekly": timedelta(days=7, hours=3), "monthly": timedelta(days=31, hours=3)}
NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
SETTINGS = ScoreboardSettings()
SIGNER = Signer(Vault(MasterKey("k" * 32)), SETTINGS)
ADA, GRACE = uuid4(), uuid4()
PRICES = rules.price_list(SETTINGS.actions)
BOARD = Board(
    name="arena",
    title="Arena",
    operator="increment",
    ascending=False,
    resets="none",
    zone="UTC",
    ceiling=1000,
    season=1,
    season_began=NOW,
    next_reset=None,
    starts_at=NOW,
    ends_at=NOW + timedelta(hours=1),
    entry_limit=None,
)


@given(RHYTHMS, ZONES, MOMENTS)
def test_a_season_ends_at_the_first_moment_of_a_local_day(resets: Resets, zone: str, now: datetime) -> None:
    ends = rules.next_reset(resets, zone, now)
    assert ends is not None and now < ends <= now + LONGEST[resets]
    local, before = ends.astimezone(ZoneInfo(zone)), (ends - timedelta(microseconds=1)).astimezone(ZoneInfo(zone))
    assert before.date() < local.date(), "a day begins with it"
    assert local.time() == before.time().min or (local.utcoffset() != before.utcoffset()), (
        "at midnight, if there is one"
    )
    if local.utcoffset() == before.utcoffset():
        assert resets != "weekly" or local.weekday() == 0
        assert resets != "monthly" or local.day == 1


@given(RHYTHMS, ZONES, MOMENTS, st.floats(0, 1))
def test_whoever_asks_again_before_the_end_hears_the_same_end(
    resets: Resets, zone: str, now: datetime, share: float
) -> None:
    ends = rules.next_reset(resets, zone, now)
    assert ends is not None
    later = now + (ends - now) * share
    if later < ends:
        assert rules.next_reset(resets, zone, later) == ends


@pytest.mark.parametrize(
    ("zone", "now", "ends", "hours"),
    [
        ("Europe/Vienna", "2026-03-29T00:00", "2026-03-30T00:00", 23),
        ("Europe/Vienna", "2026-10-25T00:00", "2026-10-26T00:00", 25),
        ("America/Sao_Paulo", "2018-11-03T00:00", "2018-11-04T01:00", 24),
        ("America/Sao_Paulo", "2018-02-17T00:00", "2018-02-18T00:00", 25),
        ("America/Havana", "2026-11-01T00:00", "2026-11-02T00:00", 25),
        ("Pacific/Apia", "2011-12-29T00:00", "2011-12-31T00:00", 24),
    ],
    ids=["short", "long", "no midnight", "an hour twice before midnight", "midnight twice", "a day that never was"],
)
def test_days_on_which_clocks_are_put(zone: str, now: str, ends: str, hours: int) -> None:
    began, ended = (datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for at in (now, ends))
    assert rules.next_reset("daily", zone, began) == ended == began + timedelta(hours=hours)


def test_a_board_without_resets_never_begins_anew() -> None:
    assert rules.next_reset("none", "UTC", NOW) is None
    assert not rules.is_due(BOARD, NOW + timedelta(days=9999))


@pytest.mark.parametrize("zone", ["", "Europe", "Nowhere/At_All", "../etc/passwd", "a\0b", "/etc/localtime"])
def test_what_is_no_zone_is_refused(zone: str) -> None:
    with pytest.raises(InvalidBoard, match="no time zone"):
        rules.must_make_sense(NewBoard(name="arena", zone=zone))


@given(st.integers(-100, 5000))
def test_a_tournament_is_open_from_its_start_until_before_its_end(seconds: int) -> None:
    now = NOW + timedelta(seconds=seconds)
    if 0 <= seconds < 3600:
        rules.must_be_open(BOARD, now)
    else:
        with pytest.raises(BoardClosed, match="begins" if seconds < 0 else "ended"):
            rules.must_be_open(BOARD, now)


@given(st.none() | st.integers(1, 10**20), st.none() | st.sampled_from([*PRICES, "cheat"]), st.integers(1, 10**6))
def test_points_are_the_servers_or_within_the_ceiling(points: int | None, kind: str | None, ceiling: int) -> None:
    asked, board = (
        AskedAction(score_increment=points, action_type=kind),
        msgspec.structs.replace(BOARD, ceiling=ceiling),
    )
    try:
        found = rules.points_of(asked, board, PRICES)
    except UnknownActionType:
        assert kind == "cheat"
    except InvalidIncrement:
        assert (kind is None and (points is None or points > ceiling)) or (kind in PRICES and points != PRICES[kind])
    else:
        assert found == (points if kind is None else PRICES[kind])
        assert points in {None, found}


@pytest.mark.parametrize("entry", ["", "task", "task:", ":5", "task:0", "task:-1", "task:1.5", "task:x", "task:²"])
def test_a_price_that_cannot_be_read_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="must read type:points"):
        rules.price_list([entry])


@given(st.lists(st.uuids(), max_size=120), st.sampled_from([",", ", ", " ,,"]))
def test_friends_are_each_there_once_and_the_caller_first(listed: list[UUID], comma: str) -> None:
    text = comma.join(map(str, listed))
    if len({ADA, *listed}) > 101:
        with pytest.raises(TooManyFriends):
            rules.friends_of(ADA, text)
        return
    friends = rules.friends_of(ADA, text)
    assert friends[0] == ADA and set(friends) == {ADA, *listed} and len(friends) == len(set(friends))


def test_a_key_is_nobody_and_what_somebody_is_called_is_nobody_elses() -> None:
    with pytest.raises(NotAUser):
        rules.player_of(msgspec.structs.replace(ADMIN, id=None))
    assert rules.player_of(msgspec.structs.replace(USER, id=str(ADA))) == ADA
    given_name = rules.username_for(ADA)
    assert rules.is_reserved(given_name) and rules.is_reserved(given_name.upper())
    assert not rules.is_reserved("player-one") and not rules.is_reserved(given_name + "x")


def signed(points: int = 10, kind: str | None = None, board: str = "arena") -> ActionToCount:
    action = SIGNER.sign(ADA, AskedAction(board=board, action_type=kind), points, NOW)
    return msgspec.convert(msgspec.to_builtins(action), ActionToCount)


@given(st.integers(1, 2**53), st.none() | st.sampled_from([*PRICES]), st.sampled_from(["arena", "default"]))
def test_an_action_comes_back_as_it_was_signed(points: int, kind: str | None, board: str) -> None:
    shown = signed(points, kind, board)
    SIGNER.must_be_ours(ADA, shown)
    SIGNER.must_be_ours(ADA, msgspec.structs.replace(shown, expires_at=None))
    assert SIGNER.must_be_in_time(shown, NOW) == NOW
    with pytest.raises(ForeignAction):
        SIGNER.must_be_ours(GRACE, shown)
    with pytest.raises(ForeignAction):
        Signer(Vault(MasterKey("l" * 32)), SETTINGS).must_be_ours(ADA, shown)


TEXTS = st.text(st.characters(exclude_categories=[]), max_size=80)


@given(
    st.sampled_from(["action_id", "score_increment", "timestamp", "action_hash", "board", "action_type", "expires_at"]),
    st.none() | st.sampled_from([*PRICES]),
    TEXTS,
    st.integers(),
)
def test_an_action_of_which_anything_is_changed_is_not_ours(
    field: str, kind: str | None, text: str, number: int
) -> None:
    shown = signed(kind=kind)
    value = number if field == "score_increment" else text or "x"
    if value != getattr(shown, field):
        with pytest.raises(ForeignAction):
            SIGNER.must_be_ours(ADA, msgspec.structs.replace(shown, **{field: value}))


@given(st.sampled_from(["action_id", "timestamp", "board", "action_type"]), st.data())
def test_what_is_moved_from_one_field_to_another_is_not_ours(field: str, data: st.DataObject) -> None:
    """Each field is signed with its length, so that `ab`+`c` is not `a`+`bc`."""
    shown = signed(kind="win_match")
    order = ["action_id", "score_increment", "timestamp", "board", "action_type"]
    following = order[order.index(field) + 1] if field != "action_type" else "board"
    text = str(getattr(shown, field))
    cut = data.draw(st.integers(0, len(text) - 1))
    moved = {field: text[:cut] or "x", following: text[cut:] + str(getattr(shown, following))}
    moved = {name: value for name, value in moved.items() if name != "score_increment"}
    with pytest.raises(ForeignAction):
        SIGNER.must_be_ours(ADA, msgspec.structs.replace(shown, **moved))


@given(st.integers(-10_000, 1_000_000))
def test_an_action_is_good_for_five_minutes_and_not_before(milliseconds: int) -> None:
    now = NOW + timedelta(milliseconds=milliseconds)
    if -5000 <= milliseconds <= 300_000:
        assert SIGNER.must_be_in_time(signed(), now) == NOW
    else:
        with pytest.raises(ExpiredAction):
            SIGNER.must_be_in_time(signed(), now)
