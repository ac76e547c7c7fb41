"""What names match, and what webhooks are sent, without a server; the patterns with Postgres' own LIKE."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.kernel.database import Database
from headwater.platform.realtime import rules
from headwater.platform.realtime.webhooks import signature_of

TEXTS = st.text(alphabet=st.sampled_from("ab:%_\\\n.*[ä"), max_size=8)
NAMES = st.text(alphabet=st.sampled_from("ab:%_\\\n.*[ä"), max_size=8)
ANSWERS = """
select array_agg(case when p = n then true else realtime_test_like(n, p) end order by nth)
from unnest($1::text[], $2::text[]) with ordinality as asked (p, n, nth)
"""
LIKE = """
create function realtime_test_like(name text, pattern text) returns boolean language plpgsql as $$
begin
  return name like pattern;
exception when invalid_escape_sequence then
  return null;
end
$$
"""


async def test_matches_is_like(database: Database) -> None:
    pairs: list[tuple[str, str]] = []

    @given(TEXTS, NAMES)
    def collect(pattern: str, name: str) -> None:
        pairs.append((pattern, name))

    @given(st.lists(st.tuples(st.sampled_from("ab:_%"), st.sampled_from("ab:")), max_size=8))
    def collect_alike(letters: list[tuple[str, str]]) -> None:
        pairs.append(("".join(p for p, _ in letters), "".join(n if p in "_%" else p for p, n in letters)))

    collect()
    collect_alike()
    await database.single(lambda tx: tx.rows(LIKE))
    told = await database.single(lambda tx: tx.value(ANSWERS, [p for p, _ in pairs], [n for _, n in pairs]))
    assert sum(answer is True for answer in told) > 50
    for (pattern, name), answer in zip(pairs, told, strict=True):
        if answer is not None:  # a pattern that ends in its escape fails in Postgres
            assert rules.matches(pattern, name) is answer, (pattern, name)


@pytest.mark.parametrize(
    ("pattern", "good"),
    [("chat", True), ("a-1:%", True), ("a:b%c:d", True), ("%", False), ("", False), ("a_b", False), ("a\n", False)],
)
def test_patterns(pattern: str, good: bool) -> None:
    assert rules.is_pattern(pattern) is good


def test_a_signature_is_standard_webhooks_own() -> None:
    """The example of the specification's libraries."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    signed = signature_of(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.text(max_size=40))
def test_every_text_fits_into_a_header(text: str) -> None:
    value = rules.header_of(text)
    assert value.isascii()
    assert value.isprintable()
    assert value == value.strip()


@given(st.text(max_size=30))
def test_a_moment_has_a_zone_or_is_none(text: str) -> None:
    moment = rules.read_moment(text)
    assert moment is None or moment.utcoffset() == timedelta(0)


def test_moments() -> None:
    assert rules.read_moment("2030-01-01") == datetime(2030, 1, 1, tzinfo=UTC)
    assert rules.read_moment("2030-01-01T02:00:00+02:00") == datetime(2030, 1, 1, tzinfo=UTC)
    assert rules.read_moment("0001-01-01T00:00:00+14:00") is None


@given(st.text(max_size=40))
def test_no_text_breaks_the_check_of_urls(text: str) -> None:
    assert rules.is_webhook_url(f"https://a.example/{text}") in {True, False}
    rules.is_webhook_url(text)
