"""Passwords: judged, hashed, compared."""

from headwater.platform.identity.passwords.breaches import Breaches
from headwater.platform.identity.passwords.hashing import NOBODYS_HASH, Passwords

__all__ = ["NOBODYS_HASH", "Breaches", "Passwords"]
