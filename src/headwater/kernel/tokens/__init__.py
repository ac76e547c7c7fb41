"""JSON Web Tokens: signed, verified, remembered."""

from headwater.kernel.tokens.cache import TokenCache
from headwater.kernel.tokens.errors import WeakJwtSecret
from headwater.kernel.tokens.keys import SigningKey, SigningKeys
from headwater.kernel.tokens.models import TokenSettings
from headwater.kernel.tokens.tokens import Tokens

__all__ = ["SigningKey", "SigningKeys", "TokenCache", "TokenSettings", "Tokens", "WeakJwtSecret"]
