"""Whose tokens are believed: `HEADWATER_ISSUERS` read, with nothing left open."""

from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec

from headwater.kernel.tokens.errors import InvalidIssuers
from headwater.kernel.tokens.models import Issuer, TokenSettings, TrustedIssuer

ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
"""Those with a public key. With a shared secret whoever verifies can also sign, and our published keys would be one."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_WORKOS = "https://api.workos.com"


def trusted_issuers(settings: TokenSettings) -> tuple[TrustedIssuer, ...]:
    """Every issuer of the settings, presets filled in; raises `InvalidIssuers`, whose sentence names the field."""
    if settings.issuers is None:
        return ()
    try:
        described = msgspec.json.decode(settings.issuers, type=tuple[Issuer, ...])
    except msgspec.MsgspecError as failure:
        raise InvalidIssuers(reason=str(failure)) from failure
    trusted = tuple(map(_trusted, described))
    spellings = [settings.issuer, *(spelling for issuer in trusted for spelling in issuer.spellings)]
    if len(spellings) != len(set(spellings)):
        raise InvalidIssuers(reason="issuer: each, ours included, may be told once")
    return trusted


def _trusted(described: Issuer) -> TrustedIssuer:
    match described.preset:
        case "workos":
            return _checked(_workos(described), _workos_spellings(described))
        case "clerk":
            return _checked(_clerk(described), ())
        case None:
            return _checked(described, ())


def _workos(described: Issuer) -> Issuer:
    """The keys are those of one client, so what they sign is for it (workos.com/docs/reference/authkit)."""
    if described.client_id is None:
        raise InvalidIssuers(reason="clientId: preset workos wants it")
    return msgspec.structs.replace(
        described,
        issuer=described.issuer or f"{_WORKOS}/user_management/{described.client_id}",
        jwks=described.jwks or f"{_WORKOS}/sso/jwks/{described.client_id}",
        unsafe_any_audience=True,
    )


def _workos_spellings(described: Issuer) -> set[str]:
    """Its documents write `iss` in both ways."""
    return {f"{_WORKOS}/user_management/{described.client_id}", _WORKOS, f"{_WORKOS}/"}


def _clerk(described: Issuer) -> Issuer:
    """Its session tokens name the page they were made for as `azp`, and no `aud` (clerk.com/docs, session tokens)."""
    if described.issuer is None:
        raise InvalidIssuers(reason="issuer: preset clerk wants it, such as https://your-app.clerk.accounts.dev")
    return msgspec.structs.replace(
        described, jwks=described.jwks or described.issuer.rstrip("/") + "/.well-known/jwks.json"
    )


def _checked(described: Issuer, spellings: Iterable[str]) -> TrustedIssuer:
    if not described.issuer:
        raise InvalidIssuers(reason="issuer: Required")
    name = described.issuer
    audiences = {described.audience} if isinstance(described.audience, str) else set(described.audience)
    if not (audiences or described.authorized_parties or described.unsafe_any_audience):
        raise InvalidIssuers(
            reason=f"audience: {name} wants it, or authorizedParties; else tokens for others count here"
        )
    unknown = set(described.algorithms) - ALGORITHMS
    if unknown or not described.algorithms:
        raise InvalidIssuers(reason=f"algorithms: {name} wants some of {', '.join(sorted(ALGORITHMS))}")
    if (described.jwks is None) == (not described.keys):
        raise InvalidIssuers(reason=f"jwks: {name} wants either it or keys")
    if described.jwks is not None and not _is_safe(described.jwks):
        raise InvalidIssuers(reason=f"jwks: {described.jwks} is not https")
    return TrustedIssuer(
        name=name,
        spellings=frozenset({name, *spellings}),
        audiences=frozenset(audiences),
        authorized_parties=frozenset(described.authorized_parties),
        jwks=described.jwks,
        keys=described.keys,
        algorithms=frozenset(described.algorithms),
        claims=described.claims,
        link_verified_email=described.link_verified_email,
    )


def _is_safe(url: str) -> bool:
    """Whether nobody on the way can change what is fetched."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
