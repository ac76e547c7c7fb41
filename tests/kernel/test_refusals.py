"""Refusals, principals, identifiers and the values that travel: the words every other part speaks."""

import asyncpg
import msgspec
import pytest

from headwater.kernel import errors
from headwater.kernel.database import CONNECTION_LOST, refusal_for
from headwater.kernel.errors import Refusal, TooManyRequests, UnknownEndpoint
from headwater.kernel.ids import new_id, new_request_id, new_secret
from headwater.kernel.models import AuditEntry, CacheKey, Effects, Event
from headwater.kernel.principal import NOBODY, Kind, principal_from_claims

REFUSALS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Refusal)]


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
def test_every_refusal_has_a_code_a_status_and_a_reason(kind: type[Refusal]) -> None:
    assert kind.code.isupper() and 400 <= kind.status < 600 and kind.sentence and kind.__doc__


def test_a_refusal_says_its_sentence_once() -> None:
    refusal = UnknownEndpoint(path="/{x}", headers={"A": "b"}, next_actions="look")
    assert refusal.message == str(refusal) == "Endpoint /{x} not found"
    assert (refusal.headers, refusal.next_actions, refusal.facts) == ({"A": "b"}, "look", {"path": "/{x}"})
    with pytest.raises(KeyError):
        TooManyRequests()


@pytest.mark.parametrize(
    ("state", "code", "status"),
    [
        ("23505", "DATABASE_DUPLICATE", 409),
        ("23503", "DATABASE_CONSTRAINT_VIOLATION", 400),
        ("23502", "MISSING_FIELD", 400),
        ("42P01", "DATABASE_VALIDATION_ERROR", 400),
        ("42701", "DATABASE_VALIDATION_ERROR", 400),
        ("42501", "FORBIDDEN", 403),
        ("57014", "QUERY_TIMEOUT", 504),
        ("40001", "TRANSACTION_CONFLICT", 409),
        ("40P01", "TRANSACTION_CONFLICT", 409),
        ("57P01", "DATABASE_UNAVAILABLE", 503),
        ("53300", "DATABASE_UNAVAILABLE", 503),
        ("08006", "DATABASE_UNAVAILABLE", 503),
        ("XX000", None, None),
    ],
)
def test_what_postgres_says_in_the_platforms_words(state: str, code: str | None, status: int | None) -> None:
    failure = asyncpg.PostgresError.new({"C": state, "M": "it says so", "S": "ERROR"})
    refusal = refusal_for(failure)
    assert (refusal and refusal.code, refusal and refusal.status) == (code, status)


def test_only_postgres_failures_are_the_databases() -> None:
    assert refusal_for(ValueError("x")) is None
    assert all(issubclass(kind, Exception) for kind in CONNECTION_LOST)


@pytest.mark.parametrize(
    ("claims", "kind", "role", "key", "id"),
    [
        ({"sub": "7", "role": "authenticated"}, Kind.USER, "authenticated", "user:7", "7"),
        ({"sub": "7"}, Kind.USER, "authenticated", "user:7", "7"),
        ({"role": "anon"}, Kind.ANON, "anon", "anon:None", None),
        ({"sub": "local:a", "role": "project_admin"}, Kind.ADMIN, "project_admin", "admin:local:a", "local:a"),
        ({"sub": "7", "role": "postgres"}, Kind.USER, "postgres", "user:7", "7"),
    ],
)
def test_the_principal_of_claims(claims: dict[str, object], kind: Kind, role: str, key: str, id: str | None) -> None:
    principal = principal_from_claims(claims)
    assert (principal.kind, principal.role, principal.key, principal.id) == (kind, role, key, id)
    assert msgspec.json.decode(principal.claims_json) == claims
    assert principal.is_admin is (kind is Kind.ADMIN)


def test_claims_of_the_wrong_type_are_no_names() -> None:
    principal = principal_from_claims({"sub": "7", "email": 5, "sid": None, "exp": 12})
    assert (principal.email, principal.session_id, principal.expires_at) == (None, None, 12.0)
    assert principal_from_claims({"sub": "7", "exp": "soon"}).expires_at is None


def test_nobody_is_anon_and_has_no_name() -> None:
    assert (NOBODY.kind, NOBODY.role, NOBODY.id, NOBODY.is_admin) == (Kind.NOBODY, "anon", None, False)


def test_identifiers_do_not_repeat() -> None:
    assert len({new_id() for _ in range(1000)} | {new_request_id() for _ in range(1000)}) == 2000
    assert new_id().version == 4 and len(new_request_id()) == 32
    secret = new_secret("ik_")
    assert secret.startswith("ik_") and len(secret) == 3 + 64 and int(secret[3:], 16) >= 0


class Rung(Event, frozen=True, kw_only=True):
    bell: str


def test_effects_add_up_and_do_not_share() -> None:
    one, other = Effects(), Effects()
    other.forgets.append(CacheKey("k"))
    other.events.append(Rung(bell="b"))
    other.audits.append(AuditEntry(action="A", module="m"))
    assert one == Effects()
    one.absorb(other)
    one.absorb(Effects())
    assert one == other
    assert Rung(bell="b").audience() == () and Rung.durable is False
