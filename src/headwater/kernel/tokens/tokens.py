"""Tokens: claims signed, and signatures, times, issuer and audience verified."""

import binascii
import math
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import cast

import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import OctKey, OKPKey, RSAKey

from headwater.kernel.clock import Clock
from headwater.kernel.database import Transactions
from headwater.kernel.errors import ClaimsRefused, InvalidToken
from headwater.kernel.ids import new_id
from headwater.kernel.principal import ADMIN_ROLE, ANON_ROLE, USER_ROLE, Principal, principal_from_claims
from headwater.kernel.tokens.cache import TokenCache
from headwater.kernel.tokens.errors import WeakJwtSecret
from headwater.kernel.tokens.keys import SigningKey, SigningKeys, load_keys
from headwater.kernel.tokens.models import TokenSettings
from headwater.kernel.vault import Vault

Claims = Mapping[str, object]
THEIR_ALGORITHM = "HS256"
_ROLES = frozenset({ANON_ROLE, USER_ROLE, ADMIN_ROLE})
_LONGEST = 16_384
_SHORTEST_SECRET = 32


class _Header(msgspec.Struct):
    """What of a token's header decides; `crit` and `b64` change how a token is read, and nothing here needs them."""

    alg: str
    kid: str | None = None
    crit: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    b64: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _One(jws.JWSRegistry):
    """Accepts a single algorithm; joserfc's own registry warns of the name EdDSA, which is what verifiers know."""

    def __init__(self, algorithm: str) -> None:
        super().__init__(algorithms=[algorithm], strict_check_header=False)
        self._only = algorithm

    def get_alg(self, name: str) -> JWSAlgModel:
        if name != self._only:
            raise InvalidToken
        return self.algorithms[name]


class Tokens:
    """Signs tokens with our keys and verifies them, and those of holders of `jwt_secret`.

    Verified tokens are remembered; a remembered one costs no cryptography but still expires by our clock. Whether a
    session lives is not known here: who knows that it ended calls `forget_session` and refuses its principals.
    """

    def __init__(self, settings: TokenSettings, clock: Clock, vault: Vault) -> None:
        self._settings = settings
        self._clock = clock
        self._vault = vault
        self._keys = SigningKeys()
        self._cache = TokenCache(clock, settings.cache_size)
        self._registries = {name: _One(name) for name in ("RS256", "EdDSA", THEIR_ALGORITHM)}
        self._their_key = None if settings.jwt_secret is None else _secret_key(settings.jwt_secret)
        self._their_issuers = frozenset({settings.issuer, *settings.jwt_issuers})
        self._their_audiences = frozenset({settings.audience, *settings.jwt_audiences})

    async def load(self, transactions: Transactions) -> None:
        """Take the signing keys from the vault, where the first node to start puts them."""
        self._keys = await load_keys(transactions, self._vault, self._settings.algorithm)

    def sign(self, claims: Claims, lifetime: float) -> str:
        """A token with these claims, good for `lifetime` seconds from now; `iss`, `aud`, `iat`, `exp`, `jti` are added.

        RS256 takes about 0.3 ms.
        """
        key = self._keys.signing(self._settings.algorithm)
        if key is None:
            raise RuntimeError("Tokens.load was not called")
        issued_at = int(self._clock.timestamp())
        stated = {
            **claims,
            "iss": self._settings.issuer,
            "aud": self._settings.audience,
            "iat": issued_at,
            "exp": issued_at + int(lifetime),
            "jti": str(new_id()),
        }
        header = {"alg": key.algorithm, "kid": key.id}
        return jwt.encode(header, stated, key.key, registry=self._registries[key.algorithm])

    def principal(self, token: str) -> Principal:
        """Whom a token stands for; raises `InvalidToken` as `verify` does, and for a role that is not ours."""
        known = self._cache.find(token)
        if known is not None:
            return known
        claims = self.verify(token)
        role = claims.get("role", USER_ROLE)
        if not isinstance(role, str) or role not in _ROLES:
            raise InvalidToken
        principal = principal_from_claims(claims)
        until = math.inf if principal.expires_at is None else principal.expires_at + self._settings.leeway
        self._cache.put(token, principal, until)
        return principal

    def verify(self, token: str) -> Claims:
        """The claims of a token: signature, times, issuer, audience and subject are checked.

        Raises `InvalidToken`, and its kind `ClaimsRefused` where the signature is good and the claims are not.
        """
        header = _header_of(token)
        key = self._key_for(header)
        try:
            parsed = jws.extract_compact(token.encode("ascii"), registry=self._registries[header.alg])
            genuine = jws.validate_compact(parsed, key, registry=self._registries[header.alg])
            claims = msgspec.json.decode(parsed.payload or b"", type=dict[str, object])
        except (JoseError, ValueError, msgspec.MsgspecError, RecursionError) as failure:
            raise InvalidToken from failure
        if not genuine:
            raise InvalidToken
        if not isinstance(claims.get("sub"), str):
            raise ClaimsRefused
        self._must_be_timely(claims, ours=header.alg != THEIR_ALGORITHM)
        self._must_be_for_us(claims, ours=header.alg != THEIR_ALGORITHM)
        return claims

    def forget_session(self, session_id: str) -> None:
        """Remember no token of this session."""
        self._cache.forget_session(session_id)

    def jwks(self) -> dict[str, list[dict[str, object]]]:
        """Our public keys (RFC 7517)."""
        return {"keys": [key.public for key in self._keys]}

    def _key_for(self, header: _Header) -> RSAKey | OKPKey | OctKey:
        """The key that the header names, of the kind that its algorithm needs: neither is taken from elsewhere."""
        if header.crit is not msgspec.UNSET or header.b64 is not msgspec.UNSET:
            raise InvalidToken
        if header.alg == THEIR_ALGORITHM and self._their_key is not None:
            return self._their_key
        found: SigningKey | None = self._keys.find(header.kid, header.alg)
        if found is None:
            raise InvalidToken
        return found.key

    def _must_be_timely(self, claims: Claims, *, ours: bool) -> None:
        now, leeway = self._clock.timestamp(), self._settings.leeway
        expires, begins, issued = (_moment(claims, name) for name in ("exp", "nbf", "iat"))
        if expires is None and ours:
            raise ClaimsRefused
        if expires is not None and expires + leeway <= now:
            raise ClaimsRefused
        if any(moment is not None and moment - leeway > now for moment in (begins, issued)):
            raise ClaimsRefused

    def _must_be_for_us(self, claims: Claims, *, ours: bool) -> None:
        issuers, audiences = _texts(claims, "iss"), _texts(claims, "aud")
        if ours:
            good = self._settings.issuer in issuers and self._settings.audience in audiences
        else:
            good = not ("iss" in claims and self._their_issuers.isdisjoint(issuers)) and not (
                "aud" in claims and self._their_audiences.isdisjoint(audiences)
            )
        if not good:
            raise ClaimsRefused


def _header_of(token: str) -> _Header:
    """A token's header, from a text that looks like a token."""
    if len(token) > _LONGEST or not token.isascii() or token.count(".") != 2:
        raise InvalidToken
    segment = token.partition(".")[0]
    try:
        raw = urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
        return msgspec.json.decode(raw, type=_Header)
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError) as failure:
        raise InvalidToken from failure


def _texts(claims: Claims, name: str) -> frozenset[str]:
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


def _secret_key(secret: str) -> OctKey:
    if len(secret) < _SHORTEST_SECRET:
        raise WeakJwtSecret(shortest=_SHORTEST_SECRET)
    return OctKey.import_key(secret)
