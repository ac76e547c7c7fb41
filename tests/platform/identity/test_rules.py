"""The decisions of identity."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.kernel.errors import InvalidInput, TooManyRequests
from headwater.platform.identity import rules
from headwater.platform.identity.errors import OriginNotAllowed, WeakPassword
from headwater.platform.identity.models import FailureCount, PasswordRules, ShownToken
from headwater.platform.identity.rules import Verdict

NOW = datetime(2030, 1, 1, tzinfo=UTC)
offsets = st.integers(-10_000, 10_000).map(lambda seconds: timedelta(seconds=seconds / 10))


@given(offsets, st.none() | offsets)
def test_a_refresh_token_is_judged(expires: timedelta, replaced: timedelta | None) -> None:
    shown = ShownToken(
        session_id=uuid4(),
        kind="user",
        subject="",
        user_id=None,
        client_type="web",
        expires_at=NOW + expires,
        replaced_at=None if replaced is None else NOW - replaced,
        current_hash=None,
    )
    verdict = rules.judge_refresh(shown, NOW, 10)
    if expires <= timedelta():
        assert verdict is Verdict.EXPIRED
    elif replaced is None:
        assert verdict is Verdict.CURRENT
    else:
        assert verdict is (Verdict.REPEATED if replaced <= timedelta(seconds=10) else Verdict.REUSED)


@given(st.emails(domains=st.just("example.com")) | st.text())
def test_an_address_is_normal_or_refused(text: str) -> None:
    try:
        email = rules.normal_email(text)
    except InvalidInput:
        return
    assert email == email.strip().lower() == rules.normal_email(email)
    assert email.count("@") == 1 and "\x00" not in email


@pytest.mark.parametrize(
    "email", ["a@b.cd", "First.Last+tag@sub.example.co", "o'neil@example.com", "ü@example.com", "1@2.io"]
)
def test_addresses_that_people_have_are_welcome(email: str) -> None:
    assert rules.normal_email(f" {email}\n") == email.lower()


@given(st.ip_addresses().map(str))
def test_an_address_belongs_to_one_network(address: str) -> None:
    network = rules.network_of(address)
    assert network == address if ":" not in address else network.endswith("/64") or "." in network


def test_neighbours_in_a_64_are_one() -> None:
    assert rules.network_of("2001:db8::1") == rules.network_of("2001:db8::ffff:1") != rules.network_of("2001:db8:0:1::")
    assert rules.network_of("::ffff:192.0.2.1") == "192.0.2.1"
    assert rules.network_of("unix") == "unix"


@given(st.integers(0, 5), st.integers(1, 5), st.integers(-100, 100))
def test_the_limit_counts_while_the_window_lasts(failures: int, limit: int, seconds: int) -> None:
    count = FailureCount(name="a", failures=failures, resets_at=NOW + timedelta(seconds=seconds))
    if failures < limit or seconds <= 0:
        rules.must_not_be_throttled([count], {"a": limit}, NOW)
        return
    with pytest.raises(TooManyRequests) as refused:
        rules.must_not_be_throttled([count], {"a": limit}, NOW)
    assert refused.value.headers["Retry-After"] == str(seconds)


@given(st.text())
def test_whatever_is_said_to_be_an_origin_is_judged(origin: str) -> None:
    try:
        rules.must_be_allowed_origin(origin, "api.example", ("https://app.example",))
    except OriginNotAllowed:
        return
    assert origin == "https://app.example" or "api.example" in origin or "localhost" in origin or "127.0.0.1" in origin


def test_cookies_are_for_our_paths_only() -> None:
    assert rules.session_cookie("user", "rt_1") == (
        "insforge_refresh_token=rt_1; Path=/api/auth; HttpOnly; Secure; SameSite=None; Max-Age=604800"
    )
    assert rules.session_cookie("admin", None) == (
        "insforge_admin_refresh_token=; Path=/api/auth/admin; HttpOnly; Secure; SameSite=None; Max-Age=0"
    )


@pytest.mark.parametrize(
    ("password", "lacking"),
    [
        ("Aa1!aaaa", None),
        ("Ää1§ääää", None),
        ("Aa1!", "8 characters long"),
        ("aa1!aaaa", "one uppercase letter"),
        ("AA1!AAAA", "one lowercase letter"),
        ("Aa!!aaaa", "one number"),
        ("Aa1aaaaa", "one special character"),
        ("aa", "8 characters, one number, one uppercase letter and one special character"),
    ],
)
def test_a_password_is_told_what_it_lacks(password: str, lacking: str | None) -> None:
    wanted = PasswordRules(min_length=8, number=True, lowercase=True, uppercase=True, special_char=True)
    if lacking is None:
        rules.must_be_strong_enough(password, wanted)
        return
    with pytest.raises(WeakPassword) as refused:
        rules.must_be_strong_enough(password, wanted)
    assert refused.value.message == f"Password must contain at least {lacking}"


def test_by_itself_only_the_length_counts() -> None:
    rules.must_be_strong_enough("aaaaaa", PasswordRules())
    with pytest.raises(WeakPassword, match="at least 6 characters long"):
        rules.must_be_strong_enough("aaaaa", PasswordRules())
