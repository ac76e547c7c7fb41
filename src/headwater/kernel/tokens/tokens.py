"""Tokens: claims signed, and signatures, times, issuer and audience verified."""

import asyncio
import math
from datetime import datetime, timedelta

from joserfc import jwt
from joserfc.jwk import OctKey

from headwater.kernel.clock import Clock
from headwater.kernel.database import Transactions, WritingTransaction
from headwater.kernel.errors import ClaimsRefused, InvalidToken
from headwater.kernel.ids import new_id
from headwater.kernel.principal import ADMIN_ROLE, ANON_ROLE, USER_ROLE, Principal, principal_from_claims
from headwater.kernel.tokens.cache import TokenCache
from headwater.kernel.tokens.errors import WeakJwtSecret
from headwater.kernel.tokens.keys import SigningKey, SigningKeys, generate_key, load_keys, replace_keys
from headwater.kernel.tokens.models import TokenSettings
from headwater.kernel.tokens.reading import (
    Claims,
    Header,
    Key,
    OneAlgorithm,
    header_of,
    must_be_timely,
    texts,
    verified_claims,
)
from headwater.kernel.vault import Vault

THEIR_ALGORITHM = "HS256"
_OURS = ("RS256", "EdDSA")
_ROLES = frozenset({ANON_ROLE, USER_ROLE, ADMIN_ROLE})
_SHORTEST_SECRET = 32


class Tokens:
    """Signs tokens with our keys and verifies them, and those of holders of `jwt_secret`.

    Verified tokens are remembered; a remembered one costs no cryptography but still expires by our clock. Whether a
    session lives is not known here: who knows that it ended calls `forget_session` and refuses its principals. Tokens
    of other issuers are verified by `Issuers` and remembered here by who knows whom they stand for.
    """

    def __init__(self, settings: TokenSettings, clock: Clock, vault: Vault) -> None:
        self._settings = settings
        self._clock = clock
        self._vault = vault
        self._keys = SigningKeys()
        self._cache = TokenCache(clock, settings.cache_size)
        self._registries = {name: OneAlgorithm(name) for name in (*_OURS, THEIR_ALGORITHM)}
        self._their_key = None if settings.jwt_secret is None else _secret_key(settings.jwt_secret)
        self._their_issuers = frozenset({settings.issuer, *settings.jwt_issuers})
        self._their_audiences = frozenset({settings.audience, *settings.jwt_audiences})
        self._users_forgotten = 0

    async def load(self, transactions: Transactions) -> None:
        """Take the signing keys from the vault, where the first node to start puts them.

        What a key has signed that verifies no longer is forgotten.
        """
        before = {key.id for key in self._keys.verifying(self._clock.timestamp())}
        self._keys = await load_keys(transactions, self._vault, self._settings.algorithm)
        if before - {key.id for key in self._keys.verifying(self._clock.timestamp())}:
            self._cache.clear()

    async def make_key(self) -> SigningKey:
        """A new signing key, for `rotate`; an RSA key takes about a tenth of a second, off the loop."""
        return await asyncio.to_thread(generate_key, self._settings.algorithm)

    async def rotate(self, tx: WritingTransaction, made: SigningKey, grace: timedelta) -> datetime:
        """Let `made` sign in the place of today's key, which verifies for `grace` more; until when that is.

        `grace` is as long as tokens live. With none the old keys verify nothing any more. Each node signs with the
        new key once it has called `load` after the commit.
        """
        leeway = timedelta(seconds=self._settings.leeway) if grace else timedelta(0)
        until = tx.now + grace + leeway
        await replace_keys(tx, self._vault, made, until)
        return until

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
        header = header_of(token)
        claims = verified_claims(token, self._key_for(header), self._registries[header.alg])
        ours = header.alg != THEIR_ALGORITHM
        must_be_timely(claims, self._clock.timestamp(), self._settings.leeway, expiring=ours)
        self._must_be_for_us(claims, ours=ours)
        return claims

    def lacks_key_of(self, token: str) -> bool:
        """Whether a token names itself ours and a key that is not known here, as one just made elsewhere may be."""
        try:
            header = header_of(token)
        except InvalidToken:
            return False
        return (
            header.alg in _OURS
            and header.kid is not None
            and self._keys.find(header.kid, header.alg, self._clock.timestamp()) is None
        )

    @property
    def users_forgotten(self) -> int:
        """How often a user was forgotten; see `remember`."""
        return self._users_forgotten

    def remember(self, token: str, principal: Principal, until: float, users_forgotten: int) -> None:
        """Let a token that others verified stand for a principal until a moment, in seconds since 1970.

        `users_forgotten` is the count before the user was looked up: if one was forgotten since, he may be this one,
        and nothing is remembered.
        """
        if users_forgotten == self._users_forgotten:
            self._cache.put(token, principal, until)

    def forget_session(self, session_id: str) -> None:
        """Remember no token of this session."""
        self._cache.forget(session_id)

    def forget_user(self, user_id: str) -> None:
        """Remember no token of this user that belongs to no session of ours."""
        self._users_forgotten += 1
        self._cache.forget(f"user:{user_id}")

    def jwks(self) -> dict[str, list[dict[str, object]]]:
        """Our public keys (RFC 7517): the one that signs, and those whose tokens have not all expired."""
        return {"keys": [key.public for key in self._keys.verifying(self._clock.timestamp())]}

    def _key_for(self, header: Header) -> Key:
        """The key that the header names, of the kind that its algorithm needs: neither is taken from elsewhere."""
        if header.alg == THEIR_ALGORITHM and self._their_key is not None:
            return self._their_key
        found = self._keys.find(header.kid, header.alg, self._clock.timestamp())
        if found is None:
            raise InvalidToken
        return found.key

    def _must_be_for_us(self, claims: Claims, *, ours: bool) -> None:
        issuers, audiences = texts(claims, "iss"), texts(claims, "aud")
        if ours:
            good = self._settings.issuer in issuers and self._settings.audience in audiences
        else:
            good = not ("iss" in claims and self._their_issuers.isdisjoint(issuers)) and not (
                "aud" in claims and self._their_audiences.isdisjoint(audiences)
            )
        if not good:
            raise ClaimsRefused


def _secret_key(secret: str) -> OctKey:
    if len(secret) < _SHORTEST_SECRET:
        raise WeakJwtSecret(shortest=_SHORTEST_SECRET)
    return OctKey.import_key(secret)
