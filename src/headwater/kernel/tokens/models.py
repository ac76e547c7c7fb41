"""How tokens are made and which are believed."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

Algorithm = Literal["RS256", "EdDSA"]


Preset = Literal["workos", "clerk"]


class ClaimNames(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What an issuer calls what we want to know."""

    email: str = "email"
    email_verified: str = "email_verified"
    name: str = "name"


class Issuer(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Another issuer, as `HEADWATER_ISSUERS` describes it.

    A token is for us if its `aud` is one of `audience`, and its `azp` one of `authorizedParties`, where these are
    told; one of them must be, unless the issuer's keys sign for us alone (`unsafeAnyAudience`). Keys are fetched from
    `jwks`, or stand in `keys` (RFC 7517). A preset fills in what it knows: `workos` wants `clientId`, `clerk` wants
    `issuer` and `authorizedParties`.
    """

    preset: Preset | None = None
    issuer: str | None = None
    client_id: str | None = None
    audience: str | tuple[str, ...] = ()
    authorized_parties: tuple[str, ...] = ()
    unsafe_any_audience: bool = False
    jwks: str | None = None
    keys: tuple[dict[str, object], ...] = ()
    algorithms: tuple[str, ...] = ("RS256",)
    claims: ClaimNames = ClaimNames()
    link_verified_email: bool = False
    """Whether a proven address leads to the account here that has proven the same one."""


class TrustedIssuer(msgspec.Struct, frozen=True, kw_only=True):
    """Another issuer, with nothing left open; `name` is what its users are filed under, and never changes."""

    name: str
    spellings: frozenset[str]
    """The values of `iss` that mean it."""
    audiences: frozenset[str]
    authorized_parties: frozenset[str]
    jwks: str | None
    keys: tuple[dict[str, object], ...]
    algorithms: frozenset[str]
    claims: ClaimNames
    link_verified_email: bool


class Vouched(msgspec.Struct, frozen=True, kw_only=True):
    """What another issuer says of someone; `email` only where it says that it is proven."""

    issuer: TrustedIssuer
    subject: str
    email: str | None
    name: str | None
    claims: Mapping[str, object]
    expires_at: float


class TokenSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_TOKEN_*, and HEADWATER_JWT_SECRET; times in seconds."""

    issuer: str = "headwater"
    audience: str = "headwater"
    algorithm: Algorithm = "RS256"
    """What new tokens are signed with; tokens of the other stay good until they expire."""
    jwt_secret: Annotated[str | None, msgspec.Meta(extra={"env": ("HEADWATER_JWT_SECRET",)})] = None
    """HEADWATER_JWT_SECRET: tokens that others sign with it (HS256) are believed; unset, none are."""
    jwt_issuers: tuple[str, ...] = ()
    """Issuers such tokens may name, besides our own; a token that names none is believed too."""
    jwt_audiences: tuple[str, ...] = ()
    """Audiences such tokens may name, besides our own."""
    issuers: Annotated[str | None, msgspec.Meta(extra={"env": ("HEADWATER_ISSUERS",)})] = None
    """HEADWATER_ISSUERS: whose tokens are believed besides ours, a JSON array of objects; see `Issuer`."""
    issuer_keys_every: Annotated[float, msgspec.Meta(ge=1)] = 600.0
    """How old another issuer's keys may get before they are asked for again."""
    issuer_keys_pause: Annotated[float, msgspec.Meta(ge=1)] = 30.0
    """How long nobody asks an issuer again for a key it did not have."""
    leeway: float = 30.0
    """How far other machines' clocks may be off."""
    cache_size: int = 20_000
    """Verified tokens that are remembered."""
