"""Tokens of other issuers: believed if theirs, for us, and of now; their keys fetched as seldom as may be."""

import asyncio
import base64
import hmac
import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from headwater.kernel.clock import DrivenClock
from headwater.kernel.errors import ClaimsRefused, InvalidToken
from headwater.kernel.tokens import InvalidIssuers, Issuers, TokenSettings
from tests.kernel.tokens.theirs import NAME, OTHER_RSA, RSA, Theirs, described, public


@pytest.fixture
def theirs(clock: DrivenClock) -> Theirs:
    return Theirs(clock)


@pytest.fixture
def issuers(theirs: Theirs, clock: DrivenClock) -> Issuers:
    return made(theirs, clock)


def made(theirs: Theirs, clock: DrivenClock, text: str | None = None) -> Issuers:
    return Issuers(TokenSettings(issuers=text or described()), clock, theirs)


async def test_a_token_of_theirs_is_believed(issuers: Issuers, theirs: Theirs) -> None:
    token = theirs.token(email="a@b.cd", email_verified=True, name="Ann", org_id="org_1")
    assert issuers.issued(token)
    vouched = await issuers.verify(token)
    assert (vouched.issuer.name, vouched.subject, vouched.email, vouched.name) == (NAME, "user_2abc", "a@b.cd", "Ann")
    assert vouched.claims["org_id"] == "org_1"
    assert theirs.asked == ["https://id.example/.well-known/jwks.json"]


@pytest.mark.parametrize("verified", [False, None, "false", 1, "yes", ["true"]])
async def test_an_address_counts_only_where_they_say_it_is_proven(
    issuers: Issuers, theirs: Theirs, verified: object
) -> None:
    assert (await issuers.verify(theirs.token(email="a@b.cd", email_verified=verified))).email is None


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"},
        {"aud": None},
        {"aud": ["another"]},
        {"aud": {"app": True}},
        {"iss": [NAME, "https://evil.example"]},
        {"exp": None},
        {"exp": 1},
        {"exp": "soon"},
        {"nbf": 99999999999},
        {"iat": 99999999999},
        {"sub": None},
        {"sub": 7},
    ],
    ids=str,
)
async def test_claims_that_are_not_for_us_are_refused(
    issuers: Issuers, theirs: Theirs, changes: dict[str, object]
) -> None:
    """Among them the advisory of many: an audience that is missing is no audience."""
    with pytest.raises(InvalidToken):
        await issuers.verify(theirs.token(**changes))  # pyright: ignore[reportArgumentType] - a table of claims


@pytest.mark.parametrize("issuer", ["https://evil.example", f"{NAME}/", NAME.upper(), f"{NAME}.evil.example", ""])
async def test_another_issuer_is_none_of_ours_even_with_their_key(
    issuers: Issuers, theirs: Theirs, issuer: str
) -> None:
    token = theirs.token(iss=issuer)
    assert not issuers.issued(token)
    with pytest.raises(InvalidToken):
        await issuers.verify(token)
    assert theirs.asked == []


async def test_the_key_of_one_issuer_signs_nothing_of_another(theirs: Theirs, clock: DrivenClock) -> None:
    """The advisory: keys pooled, and the issuer checked against a list only."""
    second = {"issuer": "https://second.example", "audience": "app", "keys": [public(OTHER_RSA, "two")]}
    both = made(theirs, clock, json.dumps([*json.loads(described()), second]))
    await both.verify(theirs.token(iss="https://second.example", kid="two", key=OTHER_RSA))
    for forged in (
        theirs.token(iss="https://second.example"),
        theirs.token(iss="https://second.example", kid="two", key=RSA),
        theirs.token(kid="two", key=OTHER_RSA),
    ):
        with pytest.raises(InvalidToken):
            await both.verify(forged)


def _b64(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


async def test_no_signature_is_no_signature(issuers: Issuers, theirs: Theirs) -> None:
    _, payload, _ = theirs.token().split(".")
    for algorithm in ("none", "None", "NONE", "", "HS256", "RS512"):
        header = _b64(json.dumps({"alg": algorithm, "kid": "one"}).encode())
        with pytest.raises(InvalidToken):
            await issuers.verify(f"{header}.{payload}.")


async def test_their_public_key_is_no_shared_secret(issuers: Issuers, theirs: Theirs) -> None:
    _, payload, _ = theirs.token().split(".")
    header = _b64(json.dumps({"alg": "HS256", "kid": "one"}).encode())
    for secret in (
        RSA.as_pem(private=False),
        json.dumps(public(RSA, "one")).encode(),
        str(RSA.as_dict()["n"]).encode(),
    ):
        signature = hmac.digest(secret, f"{header}.{payload}".encode(), "sha256")
        with pytest.raises(InvalidToken):
            await issuers.verify(f"{header}.{payload}.{_b64(signature)}")


async def test_a_key_of_another_kind_verifies_nothing(theirs: Theirs, clock: DrivenClock) -> None:
    """A set may hold every kind; the algorithm says which kind is wanted, and the settings which algorithm."""
    curve, edwards = ECKey.generate_key("P-256"), OKPKey.generate_key("Ed25519")
    theirs.keys |= {"curve": curve, "edwards": edwards}
    several = made(theirs, clock, described(algorithms=["RS256", "ES256", "EdDSA"]))
    for alg, kid in (("RS256", "one"), ("ES256", "curve"), ("EdDSA", "edwards")):
        await several.verify(theirs.token(alg=alg, kid=kid))
    only = made(theirs, clock)
    for alg, kid in (("ES256", "curve"), ("EdDSA", "edwards"), ("PS256", "one")):
        with pytest.raises(InvalidToken):
            await only.verify(theirs.token(alg=alg, kid=kid))
    with pytest.raises(InvalidToken):
        await several.verify(theirs.token(alg="ES256", kid="edwards", key=curve))


async def test_keys_that_are_none_are_passed_over(theirs: Theirs, clock: DrivenClock) -> None:
    members: list[dict[str, object]] = [
        {**OctKey.import_key("secret" * 8).as_dict(), "kid": "shared"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "tiny"},
        {**public(OTHER_RSA, "sealing"), "use": "enc"},
        {"kty": ["RSA"]},
        {"n": 7},
    ]

    class Odd(Theirs):
        async def call(self, call: object) -> object:  # pyright: ignore[reportIncompatibleMethodOverride]
            answer = await super().call(call)  # pyright: ignore[reportArgumentType]
            keys = [*members, *json.loads(answer.body)["keys"]]
            return type(answer)(status=200, headers={}, body=json.dumps({"keys": keys}).encode(), url=answer.url)

    odd = Odd(clock)
    issuers = Issuers(TokenSettings(issuers=described()), clock, odd)  # pyright: ignore[reportArgumentType]
    await issuers.verify(odd.token())
    for kid, key in (("shared", OctKey.import_key("secret" * 8)), ("sealing", OTHER_RSA)):
        with pytest.raises(InvalidToken):
            await issuers.verify(theirs.token(alg="HS256" if kid == "shared" else "RS256", kid=kid, key=key))


async def test_their_new_key_is_asked_for_and_not_too_often(
    issuers: Issuers, theirs: Theirs, clock: DrivenClock
) -> None:
    await issuers.verify(theirs.token())
    theirs.keys["two"] = OTHER_RSA
    with pytest.raises(InvalidToken):
        await issuers.verify(theirs.token(kid="two"))
    assert len(theirs.asked) == 1  # they were asked a moment ago
    clock.advance(30)
    await issuers.verify(theirs.token(kid="two"))
    assert len(theirs.asked) == 2
    for number in range(50):
        with suppress(InvalidToken):
            await issuers.verify(theirs.token(kid=f"made-up-{number}", key=RSA))
    assert len(theirs.asked) == 2
    clock.advance(30)
    outcomes = await asyncio.gather(
        *(issuers.verify(theirs.token(kid=f"made-up-{n}", key=RSA)) for n in range(50)), return_exceptions=True
    )
    assert all(isinstance(outcome, InvalidToken) for outcome in outcomes)
    assert len(theirs.asked) == 3


async def test_first_requests_at_once_ask_once(issuers: Issuers, theirs: Theirs) -> None:
    await asyncio.gather(*(issuers.verify(theirs.token(sub=f"user_{n}")) for n in range(20)))
    assert len(theirs.asked) == 1


async def test_keys_they_took_back_are_dropped_when_theirs_grow_old(
    issuers: Issuers, theirs: Theirs, clock: DrivenClock
) -> None:
    await issuers.verify(theirs.token())
    theirs.keys = {"two": OTHER_RSA}
    clock.advance(599)
    await issuers.verify(theirs.token(kid="one", key=RSA))
    clock.advance(1)
    with pytest.raises(InvalidToken):
        await issuers.verify(theirs.token(kid="one", key=RSA))


@pytest.mark.parametrize("trouble", [{"away": True}, {"status": 500}, {"status": 404}, {"keys": {}}], ids=str)
async def test_while_they_are_away_the_known_keys_do(
    issuers: Issuers, theirs: Theirs, clock: DrivenClock, trouble: dict[str, object]
) -> None:
    await issuers.verify(theirs.token())
    for name, value in trouble.items():
        setattr(theirs, name, value)
    clock.advance(3600)
    for _ in range(5):
        await issuers.verify(theirs.token(key=RSA))
    assert len(theirs.asked) == 2


async def test_before_their_keys_can_be_had_nobody_is_believed(
    issuers: Issuers, theirs: Theirs, clock: DrivenClock
) -> None:
    theirs.away = True
    with pytest.raises(InvalidToken):
        await issuers.verify(theirs.token())
    theirs.away = False
    clock.advance(30)
    await issuers.verify(theirs.token())


async def test_a_token_without_a_key_name_fits_an_only_key(
    issuers: Issuers, theirs: Theirs, clock: DrivenClock
) -> None:
    await issuers.verify(theirs.token(kid=None))
    theirs.keys["two"] = OTHER_RSA
    clock.advance(600)
    with pytest.raises(InvalidToken):
        await issuers.verify(theirs.token(kid=None, key=RSA))


async def test_the_page_a_token_was_made_for_counts_as_clerk_means_it(theirs: Theirs, clock: DrivenClock) -> None:
    text = json.dumps([{"preset": "clerk", "issuer": NAME, "authorizedParties": ["https://app.example"]}])
    clerk = made(theirs, clock, text)
    await clerk.verify(theirs.token(aud=None, azp="https://app.example", sid="sess_1"))
    for azp in (None, "https://evil.example"):
        with pytest.raises(ClaimsRefused):
            await clerk.verify(theirs.token(aud=None, azp=azp))
    assert set(theirs.asked) == {f"{NAME}/.well-known/jwks.json"}


async def test_workos_keys_are_those_of_one_client(theirs: Theirs, clock: DrivenClock) -> None:
    workos = made(theirs, clock, json.dumps([{"preset": "workos", "clientId": "client_1"}]))
    for issuer in ("https://api.workos.com/user_management/client_1", "https://api.workos.com"):
        vouched = await workos.verify(theirs.token(iss=issuer, aud=None, role="admin"))
        assert vouched.issuer.name == "https://api.workos.com/user_management/client_1"
    with pytest.raises(InvalidToken):
        await workos.verify(theirs.token(iss="https://api.workos.com/user_management/client_2", aud=None))
    assert set(theirs.asked) == {"https://api.workos.com/sso/jwks/client_1"}


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("[", "truncated"),
        ("{}", "array"),
        (described(audience=None), "audience"),
        (described(issuer=None), "issuer"),
        (described(issuer="headwater"), "issuer"),
        (described(jwks=None), "jwks"),
        (described(keys=[public(RSA, "one")]), "jwks"),
        (described(jwks="http://id.example/jwks"), "https"),
        (described(jwks="file:///etc/passwd"), "https"),
        (described(algorithms=["HS256"]), "algorithms"),
        (described(algorithms=["none"]), "algorithms"),
        (described(algorithms=[]), "algorithms"),
        (described(jwks=None, keys=[{"kty": "oct", "k": "c2VjcmV0"}]), "keys"),
        (described(jwks=None, keys=[RSAKey.generate_key(2048).as_dict(private=True)]), "keys"),
        (described(adience="app"), "adience"),
        ('[{"preset": "workos"}]', "clientId"),
        ('[{"preset": "clerk"}]', "issuer"),
        (f'[{{"preset": "clerk", "issuer": "{NAME}"}}]', "authorizedParties"),
        ('[{"preset": "okta"}]', "preset"),
    ],
)
def test_an_unclear_trust_refuses_the_start(theirs: Theirs, clock: DrivenClock, text: str, field: str) -> None:
    with pytest.raises(InvalidIssuers, match=field):
        made(theirs, clock, text)


def test_without_the_setting_nobody_else_issues(theirs: Theirs, clock: DrivenClock) -> None:
    assert not Issuers(TokenSettings(), clock, theirs).issued(theirs.token())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text() | st.lists(st.binary(), min_size=3, max_size=3).map(lambda parts: ".".join(map(_b64, parts))))
def test_whatever_comes_is_no_token_of_theirs(issuers: Issuers, text: str) -> None:
    assert not issuers.issued(text)
