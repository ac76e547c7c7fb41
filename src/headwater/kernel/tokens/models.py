"""How tokens are made and which are believed."""

from typing import Annotated, Literal

import msgspec

Algorithm = Literal["RS256", "EdDSA"]


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
    leeway: float = 30.0
    """How far other machines' clocks may be off."""
    cache_size: int = 20_000
    """Verified tokens that are remembered."""
