"""Codes and link tokens: made, tried, spent once."""

import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from headwater.kernel.database import ReadingTransaction, WritingTransaction
from headwater.kernel.ids import new_id, new_secret
from headwater.kernel.vault import Vault
from headwater.platform.identity import queries
from headwater.platform.identity.models import MailingSettings, Purpose, StoredCode

_DIGITS = 6
_KEPT = timedelta(days=1)
"""How long an expired link is remembered, so that who follows it is sent on and told."""


def new_code() -> str:
    """Six digits, each code as likely as every other."""
    return f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"


def sealed(key: bytes, *parts: object) -> bytes:
    """An HMAC of what a code is bound to, and of the code, under a key of the vault (ADR 19)."""
    return hmac.digest(key, "\n".join(map(str, parts)).encode(), "sha256")


class FreshToken(msgspec.Struct, frozen=True):
    """A token as it goes out, and until when it is good."""

    token: str
    expires_at: datetime


class Codes:
    """Keeps one live code or link token for each address and purpose; a new one takes the old one's place.

    A code is six digits, stored as an HMAC under a key of the vault and bound to its address and purpose: without the
    key a copy of the table tells nothing, where any hash without one falls to a million tries (ADR 19). Wrong ones are
    counted in its row. A token is 32 random bytes, stored as its SHA-256.
    """

    def __init__(self, settings: MailingSettings, vault: Vault) -> None:
        self._settings = settings
        self._key = vault.derive("identity:codes")

    async def issue_code(self, tx: WritingTransaction, email: str, purpose: Purpose) -> str:
        """A new code."""
        code = new_code()
        seconds = self._settings.otp_lifetime if purpose == "SIGN_IN" else self._settings.code_lifetime
        await queries.put_code(
            tx,
            StoredCode(
                id=new_id(),
                email=email,
                purpose=purpose,
                otp_hash=self._hash(email, purpose, code),
                otp_type="NUMERIC_CODE",
                expires_at=tx.now + timedelta(seconds=seconds),
                consumed_at=None,
                redirect_to=None,
                attempts_count=0,
            ),
        )
        return code

    async def issue_token(
        self, tx: WritingTransaction, email: str, purpose: Purpose, redirect_to: str | None, seconds: float
    ) -> FreshToken:
        """A new token, good for so many seconds."""
        token, expires_at = new_secret(), tx.now + timedelta(seconds=seconds)
        await queries.put_code(
            tx,
            StoredCode(
                id=new_id(),
                email=email,
                purpose=purpose,
                otp_hash=_digest(token),
                otp_type="HASH_TOKEN",
                expires_at=expires_at,
                consumed_at=None,
                redirect_to=redirect_to,
                attempts_count=0,
            ),
        )
        return FreshToken(token, expires_at)

    async def spend_code(self, tx: WritingTransaction, email: str, purpose: Purpose, shown: str) -> bool:
        """Use the code up if it is the one; else count a wrong one, which is to be committed whatever follows."""
        hashed = self._hash(email, purpose, shown.strip())
        stored = await queries.lock_code(tx, email, purpose)
        if stored is None or stored.otp_type != "NUMERIC_CODE" or not self.is_live(stored, tx.now):
            return False
        if not hmac.compare_digest(stored.otp_hash, hashed):
            await queries.count_attempt(tx, stored.id)
            return False
        await queries.spend_code(tx, stored.id)
        return True

    async def find_token(self, tx: ReadingTransaction, purpose: Purpose, token: str) -> StoredCode | None:
        """What a token was made for, whether it is still good or not."""
        return await queries.find_token(tx, _digest(token), purpose)

    async def spend_token(self, tx: WritingTransaction, purpose: Purpose, token: str) -> StoredCode | None:
        """Use the token up; None if it is not, or no longer, good."""
        stored = await queries.lock_token(tx, _digest(token), purpose)
        if stored is None or not self.is_live(stored, tx.now):
            return None
        await queries.spend_code(tx, stored.id)
        return stored

    async def remove_expired(self, tx: WritingTransaction) -> None:
        """Forget those whose time has long been over."""
        await queries.remove_codes(tx, tx.now - _KEPT)

    def is_live(self, stored: StoredCode, now: datetime) -> bool:
        """Whether it is neither used up, nor too old, nor guessed at too often."""
        unspent = stored.consumed_at is None and stored.expires_at > now
        return unspent and stored.attempts_count < self._settings.attempts

    def _hash(self, email: str, purpose: Purpose, code: str) -> str:
        return sealed(self._key, purpose, email, code).hex()


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
