"""Who is asking, by tokens alone: whoever the holder of the secret says it is (contracts/postgrest.md 1.1)."""

import binascii
import math
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, cast

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from headwater.boot.errors import InvalidSetting
from headwater.boot.rest.claims import find_text, read_path
from headwater.boot.rest.errors import AnonymousOff, JwtClaimsRefused, NoJwtSecret, UndecodableJwt
from headwater.boot.rest.settings import RestOptions
from headwater.kernel.clock import Clock
from headwater.kernel.errors import InvalidToken
from headwater.kernel.principal import Kind, Principal
from headwater.kernel.tokens import TokenCache
from headwater.kernel.tokens.reading import Key, OneAlgorithm

_KIND_OF = {"HS": "oct", "RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_CURVE_OF = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}
_ALGORITHMS = (*(f"{family}{bits}" for family in ("HS", "RS", "PS", "ES") for bits in (256, 384, 512)), "EdDSA")
_KINDS: Mapping[str, type[Key]] = {"oct": OctKey, "RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_SHORTEST_SECRET = 32
_SKEW = 30.0
_PARTS = 3
_LONGEST = 16_384
_SECRET = "PGRST_JWT_SECRET"  # noqa: S105 - a variable's name
_CHALLENGE = {"WWW-Authenticate": "Bearer"}


class _VerifyingKey(NamedTuple):
    kind: str
    curve: str | None
    id: str | None
    algorithm: str | None
    key: Key

    def suits(self, algorithm: str, key_id: str | None) -> bool:
        """Whether a token may have been signed with it: a key is only used as what it is."""
        return (
            self.kind == _KIND_OF[algorithm[:2]]
            and (algorithm not in _CURVE_OF or self.curve == _CURVE_OF[algorithm])
            and self.algorithm in {None, algorithm}
            and (key_id is None or self.id in {None, key_id})
        )


class _Header(msgspec.Struct):
    alg: str
    kid: str | None = None
    crit: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    b64: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class Bearers:
    """Verifies tokens with the keys of `PGRST_JWT_SECRET`; a flow.Authenticator.

    The role may be any that a token names, and the anon role where it names none. Good tokens are remembered until they
    expire.
    """

    def __init__(self, settings: RestOptions, clock: Clock) -> None:
        self._clock = clock
        self._anon = settings.db_anon_role
        self._audience = settings.jwt_aud
        self._path = read_path(settings.jwt_role_claim_key)
        self._keys = tuple(_keys_of(settings))
        self._registries = {name: OneAlgorithm(name) for name in _ALGORITHMS}
        self._cache = TokenCache(clock, settings.jwt_cache_max_entries)
        self._anonymous = None if self._anon is None else _principal({}, self._anon, kind=Kind.ANON)

    async def authenticate(self, headers: Mapping[str, str], *, patient: bool = True) -> Principal:
        """Whom the token stands for, or the anon role where there is none.

        Raises `AnonymousOff`, `NoJwtSecret`, `UndecodableJwt`, `JwtClaimsRefused`.
        """
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            if self._anonymous is None:
                raise AnonymousOff(headers=_CHALLENGE)
            return self._anonymous
        token = token.strip()
        known = self._cache.find(token)
        if known is not None:
            return known
        claims = self._verified(token)
        expires = self._must_be_good(claims)
        role = find_text(claims, self._path) or self._anon
        if role is None:
            raise AnonymousOff(headers=_CHALLENGE)
        principal = _principal(claims, role, kind=Kind.USER)
        self._cache.put(token, principal, math.inf if expires is None else expires + _SKEW)
        return principal

    def _verified(self, token: str) -> dict[str, object]:
        """The claims under a good signature."""
        if not self._keys:
            raise NoJwtSecret
        header = _header_of(token)
        if header.alg not in self._registries:
            raise UndecodableJwt(reason="Wrong or unsupported encoding algorithm")
        registry = self._registries[header.alg]
        suitable = [each for each in self._keys if each.suits(header.alg, header.kid)]
        if not suitable:
            raise UndecodableJwt(reason="No suitable key or wrong key type")
        for each in suitable:
            try:
                parsed = jws.extract_compact(token.encode("ascii"), registry=registry)
                genuine = jws.validate_compact(parsed, each.key, registry=registry)
            except (JoseError, InvalidToken, ValueError, RecursionError):
                continue
            if genuine:
                try:
                    return msgspec.json.decode(parsed.payload or b"", type=dict[str, object])
                except (msgspec.MsgspecError, ValueError, RecursionError) as failure:
                    raise JwtClaimsRefused(reason="Parsing claims failed") from failure
        raise UndecodableJwt(reason="JWT cryptographic operation failed")

    def _must_be_good(self, claims: Mapping[str, object]) -> float | None:
        """When the token expires, by its own words; raises `JwtClaimsRefused` for one of another time or audience."""
        now = self._clock.timestamp()
        expires, begins, issued = (_moment(claims, name) for name in ("exp", "nbf", "iat"))
        if expires is not None and expires + _SKEW <= now:
            raise JwtClaimsRefused(reason="JWT expired")
        if begins is not None and begins - _SKEW > now:
            raise JwtClaimsRefused(reason="JWT not yet valid")
        if issued is not None and issued - _SKEW > now:
            raise JwtClaimsRefused(reason="JWT issued at future")
        audiences = _audiences(claims.get("aud"))
        if self._audience is not None and audiences and self._audience not in audiences:
            raise JwtClaimsRefused(reason="JWT not in audience")
        return expires


def _header_of(token: str) -> _Header:
    if not token:
        raise UndecodableJwt(reason="Empty JWT is sent in Authorization header")
    parts = token.split(".")
    if len(parts) != _PARTS:
        raise UndecodableJwt(reason=f"Expected 3 parts in JWT; got {len(parts)}")
    if len(token) > _LONGEST or not token.isascii():
        raise UndecodableJwt(reason="JWT couldn't be decoded")
    try:
        raw = b64decode(_padded(parts[0]), altchars=b"-_", validate=True)
        header = msgspec.json.decode(raw, type=_Header)
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError) as failure:
        raise UndecodableJwt(reason="JWT couldn't be decoded") from failure
    if header.crit is not msgspec.UNSET or header.b64 is not msgspec.UNSET:
        raise UndecodableJwt(reason="JWT couldn't be decoded")
    return header


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)


def _moment(claims: Mapping[str, object], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise JwtClaimsRefused(reason=f"The JWT '{name}' claim must be a number")
    return float(value)


def _audiences(value: object) -> Sequence[str]:
    several = cast("list[object]", value) if isinstance(value, list) else [] if value is None else [value]
    texts = [text for text in several if isinstance(text, str)]
    if len(texts) != len(several):
        raise JwtClaimsRefused(reason="The JWT 'aud' claim must be a string or an array of strings")
    return texts


def _principal(claims: Mapping[str, object], role: str, *, kind: Kind) -> Principal:
    told = {**claims, "role": role}
    subject, expires = claims.get("sub"), claims.get("exp")
    return Principal(
        kind=kind,
        role=role,
        key=f"{role}:{subject}" if isinstance(subject, str) else role,
        id=subject if isinstance(subject, str) else None,
        claims=told,
        claims_json=msgspec.json.encode(told).decode(),
        expires_at=float(expires) if isinstance(expires, int | float) else None,
    )


def _keys_of(settings: RestOptions) -> Iterator[_VerifyingKey]:
    """The keys that `PGRST_JWT_SECRET` is or holds; raises `InvalidSetting`, which repeats nothing of it."""
    text = settings.jwt_secret
    if text is None:
        return
    members = None if settings.jwt_secret_is_base64 else _members(text)
    if members is not None:
        yield from map(_imported, members)
        return
    secret = _from_base64(text) if settings.jwt_secret_is_base64 else text.encode()
    if len(secret) < _SHORTEST_SECRET:
        raise InvalidSetting(name=_SECRET, reason=f"must be at least {_SHORTEST_SECRET} characters long")
    yield _VerifyingKey("oct", None, None, None, OctKey.import_key(secret))


def _from_base64(text: str) -> bytes:
    """The octets of either alphabet, padded or not."""
    try:
        return b64decode(_padded(text.translate(str.maketrans("-_.", "+/=")).rstrip("=")), validate=True)
    except (binascii.Error, ValueError) as failure:
        raise InvalidSetting(name=_SECRET, reason="is not base64") from failure


def _members(text: str) -> list[Mapping[str, object]] | None:
    """The keys of a JWK or a set of them (RFC 7517); None where the text is neither, and so a secret itself."""
    try:
        told = msgspec.json.decode(text, type=dict[str, object])
    except (msgspec.MsgspecError, RecursionError):
        return None
    keys = told.get("keys", [told])
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in cast("list[object]", keys)):
        raise InvalidSetting(name=_SECRET, reason="is JSON, and neither a JWK nor a set of them")
    return cast("list[Mapping[str, object]]", keys)


def _imported(member: Mapping[str, object]) -> _VerifyingKey:
    kind = str(member.get("kty"))
    try:
        key = _KINDS[kind].import_key({name: value for name, value in member.items() if isinstance(value, str)})
    except (KeyError, JoseError, ValueError, TypeError) as failure:
        raise InvalidSetting(name=_SECRET, reason=f"holds a JWK of type {kind} that cannot be read") from failure
    curve, identifier, algorithm = (member.get(name) for name in ("crv", "kid", "alg"))
    return _VerifyingKey(
        kind,
        curve if isinstance(curve, str) else None,
        identifier if isinstance(identifier, str) else None,
        algorithm if isinstance(algorithm, str) else None,
        key,
    )
