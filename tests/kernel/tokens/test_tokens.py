"""Tokens signed, verified and refused."""

import asyncio
import base64
import hmac
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from timeit import repeat

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey, RSAKey

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Database, Transactions
from headwater.kernel.errors import InvalidToken
from headwater.kernel.principal import Kind
from headwater.kernel.tokens import Tokens, TokenSettings, WeakJwtSecret
from headwater.kernel.tokens.keys import SigningKeys, generate_key
from headwater.kernel.vault import MasterKey, Vault

SECRET = "s" * 16 + "0123456789abcdef"
VAULT = Vault(MasterKey("k" * 16 + "0123456789abcdef"))
KEY = generate_key("RS256")
CLAIMS = {"sub": "8a1f6c1e-0000-4000-8000-000000000001", "role": "authenticated", "sid": "session-1"}
Claims = Mapping[str, object]


def made(clock: DrivenClock, **values: object) -> Tokens:
    tokens = Tokens(TokenSettings(**values), clock, VAULT)  # pyright: ignore[reportArgumentType] - a table of settings
    tokens._keys = SigningKeys([KEY])
    return tokens


@pytest.fixture
def tokens(clock: DrivenClock) -> Tokens:
    return made(clock)


@pytest.fixture
def trusting(clock: DrivenClock) -> Tokens:
    return made(clock, jwt_secret=SECRET)


@pytest.fixture
def ours(clock: DrivenClock) -> Callable[..., str]:
    """A token signed with our key, whose header and claims differ as told; None takes a claim away."""

    def sign(header: Claims | None = None, **changes: object) -> str:
        now = int(clock.timestamp())
        claims = {**CLAIMS, "iss": "headwater", "aud": "headwater", "iat": now, "exp": now + 900, **changes}
        return _encoded(
            {"alg": "RS256", "kid": KEY.id, **(header or {})},
            {name: value for name, value in claims.items() if value is not None},
            KEY.key,
        )

    return sign


def _encoded(header: Claims, claims: Claims, key: RSAKey | OctKey | OKPKey) -> str:
    return jwt.encode(dict(header), dict(claims), key, algorithms=["RS256", "HS256", "HS512", "PS256", "RS512"])


def _theirs(clock: DrivenClock, **claims: object) -> str:
    return _encoded({"alg": "HS256"}, {"sub": "their-user", **claims}, OctKey.import_key(SECRET))


def _signed_by_hand(header: Claims, payload: str) -> str:
    """With a good signature, whatever the header says; joserfc would not sign it."""
    assert isinstance(KEY.key, RSAKey) and KEY.key.private_key is not None
    body = f"{_b64(json.dumps({'alg': 'RS256', 'kid': KEY.id, **header}).encode())}.{payload}"
    return f"{body}.{_b64(KEY.key.private_key.sign(body.encode(), PKCS1v15(), SHA256()))}"


def _b64(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def test_a_token_of_ours_is_believed(tokens: Tokens, clock: DrivenClock) -> None:
    principal = tokens.principal(tokens.sign({**CLAIMS, "email": "a@b.cd"}, 900))
    assert (principal.kind, principal.role, principal.id) == (Kind.USER, "authenticated", CLAIMS["sub"])
    assert (principal.email, principal.session_id) == ("a@b.cd", "session-1")
    assert principal.expires_at == clock.timestamp() + 900
    assert json.loads(principal.claims_json) == principal.claims
    assert {"iss", "aud", "iat", "exp", "jti"} < principal.claims.keys()


def test_two_tokens_of_one_moment_differ(tokens: Tokens) -> None:
    assert tokens.sign(CLAIMS, 900) != tokens.sign(CLAIMS, 900)


def test_a_token_expires_by_our_clock_also_when_it_is_remembered(tokens: Tokens, clock: DrivenClock) -> None:
    token = tokens.sign(CLAIMS, 900)
    tokens.principal(token)
    clock.advance(929)
    tokens.principal(token)
    clock.advance(1)
    with pytest.raises(InvalidToken):
        tokens.principal(token)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"aud": ["another", 7]},
        {"aud": {"headwater": 1}},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"nbf": 99999999999},
        {"iat": 99999999999},
        {"sub": None},
        {"sub": 7},
        {"role": "postgres"},
        {"role": ["anon"]},
        {"role": 1},
    ],
    ids=str,
)
def test_claims_that_are_not_for_us_are_refused(
    tokens: Tokens, ours: Callable[..., str], changes: dict[str, object]
) -> None:
    tokens.principal(ours())
    with pytest.raises(InvalidToken):
        tokens.principal(ours(**changes))


def test_our_audience_may_be_one_of_several(tokens: Tokens, ours: Callable[..., str]) -> None:
    tokens.principal(ours(aud=["another", "headwater"]))


def test_clocks_may_be_off_by_the_leeway(tokens: Tokens, ours: Callable[..., str], clock: DrivenClock) -> None:
    now = int(clock.timestamp())
    tokens.principal(ours(iat=now + 30, nbf=now + 30))
    tokens.principal(ours(exp=now - 29))
    with pytest.raises(InvalidToken):
        tokens.principal(ours(nbf=now + 31))
    with pytest.raises(InvalidToken):
        tokens.principal(ours(exp=now - 30))


def test_a_missing_role_is_a_users(tokens: Tokens, ours: Callable[..., str]) -> None:
    assert tokens.principal(ours(role=None)).role == "authenticated"


def test_unknown_headers_that_change_nothing_are_welcome(tokens: Tokens, ours: Callable[..., str]) -> None:
    tokens.verify(_signed_by_hand({"typ": "at+jwt", "cat": "x"}, ours().split(".")[1]))


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "unknown"},
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"b64": True},
        {"alg": "RS512"},
        {"alg": "PS256"},
    ],
    ids=str,
)
def test_headers_that_we_do_not_know_are_refused(tokens: Tokens, ours: Callable[..., str], header: Claims) -> None:
    token = ours(header) if "alg" in header else _signed_by_hand(header, ours().split(".")[1])
    with pytest.raises(InvalidToken):
        tokens.verify(token)


def test_no_signature_is_no_signature(trusting: Tokens, ours: Callable[..., str]) -> None:
    _, payload, _ = ours().split(".")
    for algorithm in ("none", "None", "NONE", "HS256", ""):
        header = _b64(json.dumps({"alg": algorithm, "kid": KEY.id}).encode())
        with pytest.raises(InvalidToken):
            trusting.verify(f"{header}.{payload}.")


def test_our_public_key_is_no_shared_secret(trusting: Tokens, ours: Callable[..., str]) -> None:
    _, payload, _ = ours().split(".")
    header = _b64(json.dumps({"alg": "HS256", "kid": KEY.id}).encode())
    published = [
        KEY.key.as_pem(private=False),
        json.dumps(trusting.jwks()["keys"][0]).encode(),
        str(KEY.public["n"]).encode(),
    ]
    for secret in published:
        signature = hmac.digest(secret, f"{header}.{payload}".encode(), "sha256")
        with pytest.raises(InvalidToken):
            trusting.verify(f"{header}.{payload}.{_b64(signature)}")


def test_another_key_under_our_name_is_refused(tokens: Tokens, clock: DrivenClock) -> None:
    now = int(clock.timestamp())
    claims = {**CLAIMS, "iss": "headwater", "aud": "headwater", "iat": now, "exp": now + 900}
    with pytest.raises(InvalidToken):
        tokens.verify(_encoded({"alg": "RS256", "kid": KEY.id}, claims, generate_key("RS256").key))


def test_others_are_believed_only_with_their_secret(tokens: Tokens, trusting: Tokens, clock: DrivenClock) -> None:
    with pytest.raises(InvalidToken):
        tokens.principal(_theirs(clock))
    principal = trusting.principal(_theirs(clock, role="authenticated"))
    assert (principal.id, principal.expires_at) == ("their-user", None)
    with pytest.raises(InvalidToken):
        trusting.principal(_encoded({"alg": "HS256"}, {"sub": "x"}, OctKey.import_key("another" * 8)))
    with pytest.raises(InvalidToken):
        trusting.principal(_encoded({"alg": "HS512"}, {"sub": "x"}, OctKey.import_key(SECRET * 2)))
    with pytest.raises(InvalidToken):
        trusting.principal(_theirs(clock, exp=clock.timestamp() - 60))


def test_issuer_and_audience_of_others_count_when_they_are_named(clock: DrivenClock) -> None:
    listed = made(clock, jwt_secret=SECRET, jwt_issuers=("https://id.example",), jwt_audiences=("app",))
    listed.principal(_theirs(clock, iss="https://id.example", aud="app"))
    listed.principal(_theirs(clock, iss="headwater", aud=["app", "other"]))
    strangers: list[dict[str, object]] = [{"iss": "https://evil.example"}, {"iss": 7}, {"aud": "other"}, {"aud": None}]
    for claims in strangers:
        with pytest.raises(InvalidToken):
            listed.principal(_theirs(clock, **claims))


def test_a_short_shared_secret_refuses_the_start(clock: DrivenClock) -> None:
    with pytest.raises(WeakJwtSecret, match="32 characters"):
        made(clock, jwt_secret="short")


def test_a_forgotten_session_is_verified_again(tokens: Tokens) -> None:
    here, there = tokens.sign(CLAIMS, 900), tokens.sign({**CLAIMS, "sid": "session-2"}, 900)
    assert tokens.principal(here) is tokens.principal(here)
    before = tokens.principal(there)
    first = tokens.principal(here)
    tokens.forget_session("session-1")
    tokens.forget_session("unknown")
    assert tokens.principal(here) is not first
    assert tokens.principal(there) is before


def test_the_memory_is_bounded(clock: DrivenClock) -> None:
    tokens = made(clock, cache_size=3)
    first, *others = (tokens.sign({**CLAIMS, "sid": f"s{number}"}, 900) for number in range(4))
    known = tokens.principal(first)
    for token in others[:2]:
        tokens.principal(token)
    assert tokens.principal(first) is known
    tokens.principal(others[2])
    assert tokens.principal(first) is known
    assert len(tokens._cache) == 3
    assert len(tokens._cache._of_owner) == 3


def test_a_remembered_token_costs_less_than_a_microsecond(tokens: Tokens) -> None:
    token = tokens.sign(CLAIMS, 900)
    tokens.principal(token)
    assert min(repeat(lambda: tokens.principal(token), number=2000, repeat=20)) / 2000 < 2e-6  # of a busy machine


def test_only_public_halves_are_published(tokens: Tokens) -> None:
    [key] = tokens.jwks()["keys"]
    assert key.keys() == {"kty", "n", "e", "kid", "alg", "use"}
    assert key["kid"] == KEY.id


def _signed(header: object, claims: object) -> str:
    """A text whose HS256 signature is good, whatever it signs."""
    body = f"{_b64(json.dumps(header).encode())}.{_b64(json.dumps(claims).encode())}"
    return f"{body}.{_b64(hmac.digest(SECRET.encode(), body.encode(), 'sha256'))}"


def _unsigned(header: bytes, payload: bytes, signature: bytes) -> str:
    return ".".join(map(_b64, (header, payload, signature)))


HEADERS = st.dictionaries(
    st.sampled_from(["alg", "kid", "crit", "b64", "typ"]),
    st.sampled_from(["RS256", "none", KEY.id, ["RS256"], None, 1]),
)
VALUES = st.none() | st.integers() | st.floats() | st.text() | st.lists(st.integers())
CLAIM_NAMES = st.sampled_from(["sub", "exp", "nbf", "iat", "iss", "aud", "role", "sid", "email"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text()
    | st.builds(_unsigned, st.binary(), st.binary(), st.binary())
    | st.builds(_signed, HEADERS, VALUES)
    | st.builds(_signed, st.just({"alg": "HS256"}), VALUES)
)
def test_whatever_comes_is_refused_in_one_way(trusting: Tokens, text: str) -> None:
    with pytest.raises(InvalidToken):
        trusting.principal(text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(CLAIM_NAMES, VALUES))
def test_strange_claims_are_refused_or_believed_but_never_break(trusting: Tokens, claims: dict[str, object]) -> None:
    with suppress(InvalidToken):
        assert trusting.principal(_signed({"alg": "HS256"}, claims)).id == claims["sub"]


@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA"])
async def test_nodes_that_start_at_once_share_one_key(database: Database, clock: DrivenClock, algorithm: str) -> None:
    transactions = Transactions(database)
    nodes = [Tokens(TokenSettings(algorithm=algorithm), clock, VAULT) for _ in range(3)]  # pyright: ignore[reportArgumentType]
    await asyncio.gather(*(node.load(transactions) for node in nodes))
    assert nodes[0].jwks() == nodes[1].jwks() == nodes[2].jwks()
    assert nodes[2].principal(nodes[0].sign(CLAIMS, 60)).id == CLAIMS["sub"]


async def test_tokens_of_the_former_algorithm_stay_good(database: Database, clock: DrivenClock) -> None:
    transactions = Transactions(database)
    former, latter = (Tokens(TokenSettings(algorithm=name), clock, VAULT) for name in ("RS256", "EdDSA"))
    await former.load(transactions)
    await latter.load(transactions)
    latter.verify(former.sign(CLAIMS, 60))
    assert [key["alg"] for key in latter.jwks()["keys"]] == ["RS256", "EdDSA"]
