"""JSON Web Tokens: signed, verified, remembered; ours and those of other issuers."""

from headwater.kernel.tokens.cache import TokenCache
from headwater.kernel.tokens.errors import InvalidIssuers, WeakJwtSecret
from headwater.kernel.tokens.issuers import Issuers, KeySource
from headwater.kernel.tokens.keys import SigningKey, SigningKeys
from headwater.kernel.tokens.models import ClaimNames, Issuer, TokenSettings, TrustedIssuer, Vouched
from headwater.kernel.tokens.tokens import Tokens

__all__ = [
    "ClaimNames",
    "InvalidIssuers",
    "Issuer",
    "Issuers",
    "KeySource",
    "SigningKey",
    "SigningKeys",
    "TokenCache",
    "TokenSettings",
    "Tokens",
    "TrustedIssuer",
    "Vouched",
    "WeakJwtSecret",
]
