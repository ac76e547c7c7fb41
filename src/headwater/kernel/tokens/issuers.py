"""Tokens of other issuers: verified with their keys, which are fetched, kept and fetched again."""

import asyncio
import math
from collections.abc import Iterable, Mapping
from typing import Protocol, cast

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from headwater.kernel.clock import Clock
from headwater.kernel.errors import ClaimsRefused, InvalidToken, Refusal
from headwater.kernel.outbound import OutboundAnswer, OutboundCall
from headwater.kernel.tokens.errors import InvalidIssuers
from headwater.kernel.tokens.models import TokenSettings, TrustedIssuer, Vouched
from headwater.kernel.tokens.reading import (
    Claims,
    Header,
    Key,
    OneAlgorithm,
    header_of,
    must_be_timely,
    texts,
    unverified_issuer,
    verified_claims,
)
from headwater.kernel.tokens.trust import ALGORITHMS, trusted_issuers

_SHORTEST_MODULUS = 342
"""Base64 of 2,048 bits."""
_PATIENCE = 5.0
_KINDS: Mapping[str, type[RSAKey | ECKey | OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_KIND_OF = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_CURVE_OF = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}


class KeySource(Protocol):
    """Where key sets are asked for; `Outbound` satisfies it."""

    async def call(self, call: OutboundCall) -> OutboundAnswer:
        """The answer to a call, whatever its status; raises a `Refusal` where there is none in time."""
        ...


class _PublicKey(msgspec.Struct, frozen=True):
    id: str | None
    kind: str
    curve: str | None
    algorithm: str | None
    key: Key


class _KeySet:
    """An issuer's keys, and when they were asked for."""

    def __init__(self, keys: Iterable[_PublicKey]) -> None:
        self.keys = tuple(keys)
        self.fetched_at = -math.inf
        self.asked_at = -math.inf
        self.turn = asyncio.Lock()

    def find(self, header: Header) -> Key | None:
        """The one key that the header names and that is for its algorithm; without a name the only one that is."""
        kind, curve = _KIND_OF[header.alg[:2]], _CURVE_OF.get(header.alg)
        found = [
            key.key
            for key in self.keys
            if key.kind == kind
            and (curve is None or key.curve == curve)
            and key.algorithm in {None, header.alg}
            and header.kid in {None, key.id}
        ]
        return found[0] if len(found) == 1 else None


class Issuers:
    """Verifies what the issuers of `HEADWATER_ISSUERS` have signed.

    Which keys are tried is chosen by the token's `iss`, and the algorithm must be one the issuer is known to use with
    a key of its kind, so nothing that a token says of itself can change how it is judged. Keys are fetched at first
    need and again when they are `issuer_keys_every` seconds old; for a key that is not among them once each
    `issuer_keys_pause` seconds at most, however many tokens name it. While they cannot be had, the known ones do.
    """

    def __init__(self, settings: TokenSettings, clock: Clock, source: KeySource) -> None:
        self._settings = settings
        self._clock = clock
        self._source = source
        self.trusted = trusted_issuers(settings)
        self._by_spelling = {spelling: issuer for issuer in self.trusted for spelling in issuer.spellings}
        self._keys = {issuer.name: _KeySet(_configured(issuer)) for issuer in self.trusted}
        self._registries = {name: OneAlgorithm(name) for name in ALGORITHMS}

    def issued(self, token: str) -> bool:
        """Whether a token says that one of these issuers made it."""
        return bool(self._by_spelling) and unverified_issuer(token) in self._by_spelling

    async def verify(self, token: str) -> Vouched:
        """What the issuer of a token vouches for: signature, times, issuer, audience and subject are checked.

        Raises `InvalidToken`, and its kind `ClaimsRefused` where the signature is good and the claims are not.
        """
        issuer = self._by_spelling.get(unverified_issuer(token) or "")
        if issuer is None:
            raise InvalidToken
        header = header_of(token)
        if header.alg not in issuer.algorithms:
            raise InvalidToken
        key = await self._key(issuer, header)
        claims = verified_claims(token, key, self._registries[header.alg])
        must_be_timely(claims, self._clock.timestamp(), self._settings.leeway, expiring=True)
        _must_be_for_us(issuer, claims)
        return _vouched(issuer, claims, self._settings.leeway)

    async def _key(self, issuer: TrustedIssuer, header: Header) -> Key:
        known = self._keys[issuer.name]
        now = self._clock.timestamp()
        found = known.find(header)
        stale = now - known.fetched_at >= self._settings.issuer_keys_every
        if issuer.jwks is not None and (found is None or (stale and not known.turn.locked())):
            await self._fetch(issuer.jwks, known)
            found = known.find(header)
        if found is None:
            raise InvalidToken
        return found

    async def _fetch(self, url: str, known: _KeySet) -> None:
        """Ask for the keys, unless somebody did a moment ago; of many at once one asks and the others wait for him."""
        async with known.turn:
            now = self._clock.timestamp()
            if now - known.asked_at < self._settings.issuer_keys_pause:
                return
            known.asked_at = now
            try:
                answer = await self._source.call(OutboundCall(url=url, seconds=_PATIENCE, attempts=2))
                keys = tuple(_read_keys(answer.body)) if answer.is_good else ()
            except (Refusal, msgspec.MsgspecError):
                return
            if keys:
                known.keys, known.fetched_at = keys, now


def _must_be_for_us(issuer: TrustedIssuer, claims: Claims) -> None:
    if texts(claims, "iss").isdisjoint(issuer.spellings) or len(texts(claims, "iss")) != 1:
        raise ClaimsRefused
    if issuer.audiences and issuer.audiences.isdisjoint(texts(claims, "aud")):
        raise ClaimsRefused
    if issuer.authorized_parties and issuer.authorized_parties.isdisjoint(texts(claims, "azp")):
        raise ClaimsRefused


def _vouched(issuer: TrustedIssuer, claims: Claims, leeway: float) -> Vouched:
    email, name = claims.get(issuer.claims.email), claims.get(issuer.claims.name)
    told = claims.get(issuer.claims.email_verified)
    proven = told is True or told == "true"  # Apple writes it as a text
    return Vouched(
        issuer=issuer,
        subject=cast("str", claims["sub"]),
        email=email if proven and isinstance(email, str) else None,
        name=name if isinstance(name, str) else None,
        claims=claims,
        expires_at=cast("float", claims["exp"]) + leeway,
    )


def _configured(issuer: TrustedIssuer) -> tuple[_PublicKey, ...]:
    keys = tuple(_public_keys(issuer.keys))
    if len(keys) != len(issuer.keys):
        raise InvalidIssuers(reason=f"keys: {issuer.name} has one that is no public key for signatures")
    return keys


def _read_keys(body: bytes) -> Iterable[_PublicKey]:
    return _public_keys(msgspec.json.decode(body, type=dict[str, list[dict[str, object]]]).get("keys", []))


def _public_keys(members: Iterable[Mapping[str, object]]) -> Iterable[_PublicKey]:
    """The keys that verify signatures; others that a set may hold are passed over."""
    for member in members:
        kind = _KINDS.get(str(member.get("kty")))
        if kind is None or member.get("use", "sig") != "sig" or "d" in member:
            continue
        if kind is RSAKey and len(str(member.get("n"))) < _SHORTEST_MODULUS:
            continue
        try:
            key = kind.import_key({name: value for name, value in member.items() if isinstance(value, str)})
        except (JoseError, ValueError, TypeError):
            continue
        identifier, algorithm, curve = (member.get(name) for name in ("kid", "alg", "crv"))
        yield _PublicKey(
            id=identifier if isinstance(identifier, str) else None,
            kind=str(member["kty"]),
            curve=curve if isinstance(curve, str) else None,
            algorithm=algorithm if isinstance(algorithm, str) else None,
            key=key,
        )
