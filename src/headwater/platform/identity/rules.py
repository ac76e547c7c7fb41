"""The decisions of identity."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from headwater.kernel.errors import InvalidInput, TooManyRequests
from headwater.kernel.principal import Kind, Principal
from headwater.platform.identity.errors import (
    AdminSessionNeeded,
    OriginNotAllowed,
    ProfileTooLarge,
    UserNotFound,
    WeakPassword,
    WeakSecret,
)
from headwater.platform.identity.models import FailureCount, PasswordRules, SessionKind, ShownToken

_EMAIL = re.compile(
    r"[^\s@\"<>()\[\],;:\\\x00-\x1f]{1,64}@(?:[^\s@.,;:<>()\[\]\\\x00-\x1f]+\.)+[^\s@.,;:<>()\[\]\\\x00-\x1f]{2,}"
)
_LONGEST_EMAIL = 254
LARGEST_PROFILE = 256 * 1024
"""Bytes of JSON."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
COOKIES: dict[SessionKind, str] = {"user": "insforge_refresh_token", "admin": "insforge_admin_refresh_token"}
_COOKIE_PATHS: dict[SessionKind, str] = {"user": "/api/auth", "admin": "/api/auth/admin"}
_COOKIE_AGE = 604_800
_SHORTEST_KEY = 32
_SHORTEST_ADMIN_PASSWORD = 8


class Verdict(StrEnum):
    """What a refresh token that was shown deserves."""

    CURRENT = "current"
    """A new one in its place."""
    REPEATED = "repeated"
    """The answer its holder may have missed."""
    REUSED = "reused"
    """Someone holds a copy: the session ends."""
    EXPIRED = "expired"


def normal_email(text: str) -> str:
    """An address as it is stored: trimmed, in small letters. Raises `InvalidInput` for what is none."""
    email = text.strip().lower()
    if len(email) > _LONGEST_EMAIL or not _EMAIL.fullmatch(email):
        raise InvalidInput(reason="email: Invalid email")
    return email


def must_be_strong_enough(password: str, rules: PasswordRules) -> None:
    """Raises `WeakPassword` for one that lacks something; the sentence names everything it lacks."""
    wanted = (
        (len(password) >= rules.min_length, f"{rules.min_length} characters"),
        (not rules.number or any(c.isdigit() for c in password), "one number"),
        (not rules.lowercase or any(c.islower() for c in password), "one lowercase letter"),
        (not rules.uppercase or any(c.isupper() for c in password), "one uppercase letter"),
        (not rules.special_char or any(not c.isalnum() for c in password), "one special character"),
    )
    lacking = [what for there, what in wanted if not there]
    if lacking:
        listed = ", ".join(lacking[:-1]) + " and " + lacking[-1] if lacking[1:] else lacking[0]
        raise WeakPassword(lacking=listed + (" long" if lacking == [wanted[0][1]] else ""))


def must_be_safe_admin_password(password: str) -> None:
    """Raises `WeakSecret` for one that is soon guessed."""
    if len(password) < _SHORTEST_ADMIN_PASSWORD:
        raise WeakSecret(setting="HEADWATER_ADMIN_PASSWORD", shortest=_SHORTEST_ADMIN_PASSWORD)


def seeded_key(seed: str, prefix: str) -> str:
    """A configured key with its prefix, which may be left out. Raises `WeakSecret` for a short one."""
    key = seed.strip()
    key = key if key.startswith(prefix) else prefix + key
    if len(key) - len(prefix) < _SHORTEST_KEY:
        raise WeakSecret(setting=f"A configured key, after {prefix},", shortest=_SHORTEST_KEY)
    return key


def judge_refresh(shown: ShownToken, now: datetime, repeat_window: float) -> Verdict:
    """What a refresh token that was shown at `now` deserves; the window is in seconds."""
    if shown.expires_at <= now:
        return Verdict.EXPIRED
    if shown.replaced_at is None:
        return Verdict.CURRENT
    missed = now - shown.replaced_at <= timedelta(seconds=repeat_window)
    return Verdict.REPEATED if missed else Verdict.REUSED


def must_be_allowed_origin(origin: str | None, host: str | None, allowed: Iterable[str]) -> None:
    """Raises `OriginNotAllowed` unless a page of this origin may use cookies: listed, loopback, or our own.

    Where no origin is told, no page asked; `host` is what the request calls us.
    """
    if origin is None or origin in allowed:
        return
    try:
        parts = urlsplit(origin)
        own = parts.netloc == host and parts.scheme in {"http", "https"}
        if own or parts.hostname in _LOOPBACK:
            return
    except ValueError:
        pass
    raise OriginNotAllowed(origin=origin[:200])


def network_of(address: str) -> str:
    """What failed sign-ins are counted under: an IPv4 address, or the /64 that one IPv6 subscriber has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))
    return str(parsed)


def must_not_be_throttled(counts: Iterable[FailureCount], limits: dict[str, int], now: datetime) -> None:
    """Raises `TooManyRequests` while as many sign-ins of a name have failed as its limit allows."""
    full = [count.resets_at for count in counts if count.resets_at > now and count.failures >= limits[count.name]]
    if full:
        raise too_many(max(full), now)


def exceeds(counts: Iterable[FailureCount], limits: dict[str, int], now: datetime) -> TooManyRequests | None:
    """The refusal for a failure that came after the limit, as those that were on their way together can."""
    beyond = [count.resets_at for count in counts if count.failures > limits[count.name]]
    return too_many(max(beyond), now) if beyond else None


def too_many(until: datetime, now: datetime) -> TooManyRequests:
    """The refusal that says when to come back."""
    seconds = max(1, ceil((until - now).total_seconds()))
    return TooManyRequests(seconds=seconds, headers={"Retry-After": str(seconds)})


def uuid_of(text: str | None) -> UUID | None:
    """The uuid that a claim holds; None for what other issuers call their users and sessions."""
    if text is None:
        return None
    try:
        return UUID(text)
    except ValueError:
        return None


def user_id_of(principal: Principal) -> UUID:
    """The caller's id; raises `UserNotFound` for who has no account here, such as the holder of another's secret."""
    user_id = uuid_of(principal.id)
    if user_id is None:
        raise UserNotFound
    return user_id


def must_hold_admin_session(principal: Principal) -> None:
    """Raises `AdminSessionNeeded` for a key: whoever found one must not be able to make himself another."""
    if principal.kind is not Kind.ADMIN or principal.session_id is None:
        raise AdminSessionNeeded


def is_fresh(since: datetime | None, now: datetime, window: float) -> bool:
    """Whether someone proved who he is within the last `window` seconds."""
    return since is not None and now - since <= timedelta(seconds=window)


def session_cookie(kind: SessionKind, token: str | None) -> str:
    """The `Set-Cookie` that gives a browser its refresh token, or takes it back (RFC 6265)."""
    age = _COOKIE_AGE if token else 0
    fixed = f"Path={_COOKIE_PATHS[kind]}; HttpOnly; Secure; SameSite=None; Max-Age={age}"
    return f"{COOKIES[kind]}={token or ''}; {fixed}"


def must_be_small_enough(profile: Mapping[str, object]) -> None:
    """Raises `ProfileTooLarge`; small changes laid over each other grow too."""
    if len(msgspec.json.encode(profile)) > LARGEST_PROFILE:
        raise ProfileTooLarge(limit=LARGEST_PROFILE)
