"""What an answer says of itself, without a database."""

from urllib.parse import unquote

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from headwater.kernel.models import Reply
from headwater.platform.records.models import MediaType, Plan, Preferences, Source, Writing
from headwater.platform.records.rules import fixed_headers, location, undone, without_silence

SOURCE = Source(schema="public", relation="t", columns=(), outputs=(), filters=(), order=())
TEXTS = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=8)


@given(key=st.dictionaries(TEXTS, st.one_of(st.none(), TEXTS), min_size=1, max_size=3))
def test_a_location_can_be_read_back(key: dict[str, str | None]) -> None:
    path, _, query = location("a b", msgspec.json.encode(key).decode()).partition("?")
    assert path == "/a%20b"
    pairs = [part.partition("=") for part in query.split("&")]
    found = {
        unquote(name): None if value == "is.null" else unquote(value.removeprefix("eq.")) for name, _, value in pairs
    }
    assert found == key


def test_preferences_are_told_in_the_dialects_order() -> None:
    preferences = Preferences(
        max_affected=3,
        timezone="UTC",
        handling="strict",
        count="exact",
        representation="minimal",
        missing="default",
        resolution="merge-duplicates",
    )
    plan = Plan(
        source=SOURCE,
        media=MediaType(),
        preferences=preferences,
        writing=Writing(kind="update"),
        most_affected=3,
        profile="public",
    )
    assert fixed_headers(plan) == (
        (
            "Preference-Applied",
            "missing=default, return=minimal, count=exact, handling=strict, timezone=UTC, max-affected=3",
        ),
        ("Content-Profile", "public"),
        ("Vary", "Accept, Prefer, Range"),
    )


def test_only_the_statements_own_failure_is_read_as_such() -> None:
    plan = Plan(source=SOURCE, media=MediaType(), preferences=Preferences(), writing=Writing(kind="delete"))
    told = undone(plan, 'invalid input syntax for type bigint: "headwater counted 5"')
    assert told is not None
    assert (told.code, told.details) == ("PGRST124", "The query affects 5 rows")
    for other in ("", "headwater counted ", 'invalid input syntax for type bigint: "headwater counted x"'):
        assert undone(plan, other) is None


def test_silence_is_filled_only_where_a_client_expects_json() -> None:
    assert without_silence(Reply(status=201, media_type=None)).body == b"[]"
    assert without_silence(Reply(status=204, media_type=None)).body == b""
    assert without_silence(Reply(body=b"{}")).body == b"{}"
