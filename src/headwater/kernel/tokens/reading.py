"""Tokens read: a header that decides little, a signature that decides all, claims that are what they should be."""

import binascii
import math
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import TypeVar, cast

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from headwater.kernel.errors import ClaimsRefused, InvalidToken

T = TypeVar("T")
Claims = Mapping[str, object]
Key = RSAKey | ECKey | OKPKey | OctKey
_LONGEST = 16_384


class Header(msgspec.Struct):
    """What of a token's header decides; `crit` and `b64` change how a token is read, and nothing here needs them."""

    alg: str
    kid: str | None = None
    crit: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    b64: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class OneAlgorithm(jws.JWSRegistry):
    """Accepts a single algorithm; joserfc's own registry warns of the name EdDSA, which is what verifiers know."""

    def __init__(self, algorithm: str) -> None:
        super().__init__(algorithms=[algorithm], strict_check_header=False)
        self._only = algorithm

    def get_alg(self, name: str) -> JWSAlgModel:
        """The algorithm, if it is the one; raises `InvalidToken`."""
        if name != self._only:
            raise InvalidToken
        return self.algorithms[name]


def header_of(token: str) -> Header:
    """A token's header, from a text that looks like a token; raises `InvalidToken`."""
    _must_look_like_a_token(token)
    header = _decoded(token.partition(".")[0], Header)
    if header.crit is not msgspec.UNSET or header.b64 is not msgspec.UNSET:
        raise InvalidToken
    return header


def unverified_issuer(token: str) -> str | None:
    """Whom a token names as its issuer, before anything of it is believed: only to choose whose keys to try."""
    try:
        _must_look_like_a_token(token)
        issuer = _decoded(token.split(".")[1], dict[str, object]).get("iss")
    except InvalidToken:
        return None
    return issuer if isinstance(issuer, str) else None


def verified_claims(token: str, key: Key, registry: OneAlgorithm) -> Claims:
    """The claims under a good signature of this key by this algorithm; raises `InvalidToken`."""
    try:
        parsed = jws.extract_compact(token.encode("ascii"), registry=registry)
        genuine = jws.validate_compact(parsed, key, registry=registry)
        claims = msgspec.json.decode(parsed.payload or b"", type=dict[str, object])
    except (JoseError, ValueError, msgspec.MsgspecError, RecursionError) as failure:
        raise InvalidToken from failure
    if not genuine:
        raise InvalidToken
    if not isinstance(claims.get("sub"), str):
        raise ClaimsRefused
    return claims


def must_be_timely(claims: Claims, now: float, leeway: float, *, expiring: bool) -> None:
    """Raises `ClaimsRefused` for a token of another time, and for one without an end where it must be `expiring`."""
    expires, begins, issued = (_moment(claims, name) for name in ("exp", "nbf", "iat"))
    if expires is None and expiring:
        raise ClaimsRefused
    if expires is not None and expires + leeway <= now:
        raise ClaimsRefused
    if any(moment is not None and moment - leeway > now for moment in (begins, issued)):
        raise ClaimsRefused


def texts(claims: Claims, name: str) -> frozenset[str]:
    """The text of a claim, or its texts (RFC 7519: `aud` may be a list); whatever else it holds counts for nothing."""
    value = claims.get(name)
    values = cast("list[object]", value) if isinstance(value, list) else [value]
    return frozenset(text for text in values if isinstance(text, str))


def _moment(claims: Claims, name: str) -> float | None:
    """A time claim in seconds since 1970 (RFC 7519: a number); None where it is absent."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ClaimsRefused
    return float(value)


def _must_look_like_a_token(token: str) -> None:
    if len(token) > _LONGEST or not token.isascii() or token.count(".") != 2:
        raise InvalidToken


def _decoded(segment: str, kind: type[T]) -> T:
    try:
        raw = urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
        return msgspec.json.decode(raw, type=kind)
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError) as failure:
        raise InvalidToken from failure
