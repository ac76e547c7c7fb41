"""Tokens are believed for their signature alone, and refused in PostgREST's words."""

import base64
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from headwater.boot.errors import InvalidSetting
from headwater.boot.rest.errors import AnonymousOff, JwtClaimsRefused, NoJwtSecret, UndecodableJwt
from headwater.boot.rest.settings import RestOptions
from headwater.boot.rest.tokens import Bearers
from headwater.kernel.clock import DrivenClock
from headwater.kernel.errors import Refusal
from headwater.kernel.principal import Kind, Principal

SECRET = "s" * 40
RSA, EC = RSAKey.generate_key(2048), ECKey.generate_key("P-256")


def signed(claims: dict[str, Any], key: Any = None, header: dict[str, Any] | None = None) -> str:
    algorithms = ["HS256", "HS512", "RS256", "PS256", "ES256"]
    return jwt.encode(header or {"alg": "HS256"}, claims, key or OctKey.import_key(SECRET), algorithms=algorithms)


def settings(**told: Any) -> RestOptions:
    values: dict[str, Any] = {"jwt_secret": SECRET, "db_anon_role": "anon", **told}
    return RestOptions(**values)


async def asked(token: str, clock: DrivenClock, **told: Any) -> Principal:
    return await Bearers(settings(**told), clock).authenticate({"authorization": f"Bearer {token}"})


async def refused(kind: type[Refusal], token: str, clock: DrivenClock, **told: Any) -> str:
    with pytest.raises(kind) as caught:
        await asked(token, clock, **told)
    return caught.value.message


async def test_any_role_is_taken(clock: DrivenClock) -> None:
    principal = await asked(signed({"role": "Whatever it is", "sub": "7"}), clock)
    assert (principal.role, principal.kind, principal.id) == ("Whatever it is", Kind.USER, "7")
    assert json.loads(principal.claims_json) == {"role": "Whatever it is", "sub": "7"}


async def test_without_a_role_it_is_the_anon_one(clock: DrivenClock) -> None:
    principal = await asked(signed({"sub": "7"}), clock)
    assert (principal.role, json.loads(principal.claims_json)["role"]) == ("anon", "anon")
    nobody = await Bearers(settings(), clock).authenticate({})
    assert (nobody.role, nobody.kind, nobody.claims_json) == ("anon", Kind.ANON, '{"role":"anon"}')


async def test_without_an_anon_role_nobody_is_anonymous(clock: DrivenClock) -> None:
    await refused(AnonymousOff, signed({"sub": "7"}), clock, db_anon_role=None)
    with pytest.raises(AnonymousOff):
        await Bearers(settings(db_anon_role=None), clock).authenticate({})


async def test_times_are_our_clocks_with_thirty_seconds(clock: DrivenClock) -> None:
    now = clock.timestamp()
    for claims in ({"exp": now - 29}, {"nbf": now + 29}, {"iat": now + 29}):
        await asked(signed({"role": "x", **claims}), clock)
    assert await refused(JwtClaimsRefused, signed({"exp": now - 31}), clock) == "JWT expired"
    assert await refused(JwtClaimsRefused, signed({"nbf": now + 31}), clock) == "JWT not yet valid"
    assert await refused(JwtClaimsRefused, signed({"iat": now + 31}), clock) == "JWT issued at future"


async def test_a_remembered_token_still_expires(clock: DrivenClock) -> None:
    bearers, headers = Bearers(settings(), clock), {"authorization": f"bearer {signed({'exp': clock.timestamp() + 5})}"}
    assert await bearers.authenticate(headers) is await bearers.authenticate(headers)
    clock.advance(36)
    with pytest.raises(JwtClaimsRefused):
        await bearers.authenticate(headers)


@pytest.mark.parametrize("claims", [{"exp": "1"}, {"nbf": True}, {"iat": []}, {"aud": 7}, {"aud": ["x", 7]}])
async def test_claims_of_the_wrong_type(clock: DrivenClock, claims: dict[str, Any]) -> None:
    [name] = claims
    assert f"The JWT '{name}' claim must be" in await refused(JwtClaimsRefused, signed(claims), clock)


@pytest.mark.parametrize(
    ("audience", "good"), [(None, True), ([], True), ("us", True), (["x", "us"], True), ("x", False), (["x"], False)]
)
async def test_audiences(clock: DrivenClock, audience: Any, good: bool) -> None:
    token = signed({"role": "x"} if audience is None else {"role": "x", "aud": audience})
    if good:
        assert (await asked(token, clock, jwt_aud="us")).role == "x"
    else:
        assert await refused(JwtClaimsRefused, token, clock, jwt_aud="us") == "JWT not in audience"


async def test_what_is_no_token(clock: DrivenClock) -> None:
    assert await refused(UndecodableJwt, "", clock) == "Empty JWT is sent in Authorization header"
    assert await refused(UndecodableJwt, "a.b", clock) == "Expected 3 parts in JWT; got 2"
    assert await refused(UndecodableJwt, "ä.b.c", clock) == "JWT couldn't be decoded"
    assert await refused(UndecodableJwt, "a" * 20_000 + ".b.c", clock) == "JWT couldn't be decoded"
    forged = signed({"role": "x"}, OctKey.import_key("t" * 40))
    assert await refused(UndecodableJwt, forged, clock) == "JWT cryptographic operation failed"
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    assert "algorithm" in await refused(UndecodableJwt, f"{none}.e30.", clock)
    await refused(NoJwtSecret, signed({}), clock, jwt_secret=None)


async def test_secrets_of_every_form(clock: DrivenClock) -> None:
    jwk = {"kty": "oct", "k": base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="), "alg": "HS256"}
    for told in (
        {"jwt_secret": base64.b64encode(SECRET.encode()).decode(), "jwt_secret_is_base64": True},
        {"jwt_secret": json.dumps(jwk)},
        {"jwt_secret": json.dumps({"keys": [RSA.as_dict(private=False), jwk]})},
    ):
        assert (await asked(signed({"role": "x"}), clock, **told)).role == "x"


@pytest.mark.parametrize(("algorithm", "key"), [("RS256", RSA), ("PS256", RSA), ("ES256", EC)])
async def test_public_keys(clock: DrivenClock, algorithm: str, key: Any) -> None:
    keys = [{**each.as_dict(private=False), "kid": name} for name, each in (("r", RSA), ("e", EC))]
    told = json.dumps({"keys": keys})
    assert (await asked(signed({"role": "x"}, key, {"alg": algorithm}), clock, jwt_secret=told)).role == "x"
    wrong = signed({"role": "x"}, key, {"alg": algorithm, "kid": "another"})
    assert await refused(UndecodableJwt, wrong, clock, jwt_secret=told) == "No suitable key or wrong key type"


async def test_a_public_key_is_no_secret(clock: DrivenClock) -> None:
    public = json.dumps(RSA.as_dict(private=False))
    forged = signed({"role": "x"}, OctKey.import_key(public))
    assert await refused(UndecodableJwt, forged, clock, jwt_secret=public) == "No suitable key or wrong key type"


@pytest.mark.parametrize(
    "told",
    [
        {"jwt_secret": "short"},
        {"jwt_secret": "!" * 40, "jwt_secret_is_base64": True},
        {"jwt_secret": "{}"},
        {"jwt_secret": '{"keys": []}'},
        {"jwt_secret": '{"kty": "RSA", "n": "x"}'},
        {"jwt_secret": '{"kty": "other"}'},
    ],
)
def test_secrets_that_are_none(clock: DrivenClock, told: dict[str, Any]) -> None:
    with pytest.raises(InvalidSetting, match="PGRST_JWT_SECRET") as caught:
        Bearers(settings(**told), clock)
    assert "!!!" not in caught.value.message
