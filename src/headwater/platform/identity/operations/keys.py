"""What can be done with the project's keys and the keys that sign tokens."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from headwater.kernel.database import ReadingTransaction, Transactions
from headwater.kernel.principal import Principal
from headwater.kernel.tokens import Tokens
from headwater.platform.identity import rules
from headwater.platform.identity.keys import KeyRing
from headwater.platform.identity.models import (
    AnonKey,
    AnonKeyRotation,
    AnonToken,
    ApiKey,
    ApiKeyRotation,
    KeyKind,
    ProjectKeys,
    RotatableKey,
    RotatedKey,
    RotatedSigningKey,
    SigningKeyRotation,
)


@dataclass(frozen=True)
class Keys:
    """The verbs that concern keys: shown to the admin, and rotated by an admin who is signed in."""

    tokens: Tokens
    keys: KeyRing

    async def read_keys(self, tx: ReadingTransaction) -> ProjectKeys:
        """The project's keys, for the command line; raises `KeysNotMade` before the first start."""
        return await self.keys.read(tx)

    async def rotate_unasked(self, transactions: Transactions, kind: RotatableKey, grace: timedelta) -> datetime:
        """Rotate a key for whoever holds the data folder, at the command line; until when the old ones are good.

        The grace of a signing key is the life of the tokens it signed, or nothing if `grace` is zero.
        """
        if kind == "signing":
            await self.tokens.load(transactions)
            return (await self.keys.rotate_signing(transactions, compromised=not grace))[1]
        return (await self.keys.rotate(transactions, "admin" if kind == "api" else "anon", grace))[1]

    async def show_api_key(self, tx: ReadingTransaction, _principal: Principal, _body: None) -> ApiKey:
        """The API key."""
        return ApiKey(api_key=(await self.keys.read(tx)).admin_key)

    async def show_anon_key(self, tx: ReadingTransaction, _principal: Principal, _body: None) -> AnonKey:
        """The anon key."""
        return AnonKey(anon_key=(await self.keys.read(tx)).anon_key)

    async def show_anon_token(self, tx: ReadingTransaction, _principal: Principal, _body: None) -> AnonToken:
        """The anon key, by the name of an older contract."""
        return AnonToken(access_token=(await self.keys.read(tx)).anon_key, message="Use the anon key as Bearer token")

    async def publish_keys(self, _tx: Transactions, _principal: Principal, _body: None) -> dict[str, object]:
        """The public halves of the signing keys (RFC 7517)."""
        return {**self.tokens.jwks()}

    async def rotate_api_key(
        self, transactions: Transactions, principal: Principal, body: ApiKeyRotation
    ) -> RotatedKey:
        """A new API key beside the old ones, which end after the grace period; raises `AdminSessionNeeded`."""
        key, until = await self._rotate(transactions, principal, "admin", body.grace_period_hours)
        return RotatedKey(message="API key rotated", api_key=key, old_key_expires_at=_told(until))

    async def rotate_anon_key(
        self, transactions: Transactions, principal: Principal, body: AnonKeyRotation
    ) -> RotatedKey:
        """A new anon key beside the old ones, which end after the grace period; raises `AdminSessionNeeded`."""
        key, until = await self._rotate(transactions, principal, "anon", body.grace_period_hours)
        return RotatedKey(message="Anon key rotated", anon_key=key, old_key_expires_at=_told(until))

    async def rotate_signing_key(
        self, transactions: Transactions, principal: Principal, body: SigningKeyRotation
    ) -> RotatedSigningKey:
        """Sign with a new key from now on; the old one verifies until the last token it signed has expired.

        Raises `AdminSessionNeeded`.
        """
        rules.must_hold_admin_session(principal)
        key_id, until = await self.keys.rotate_signing(transactions, compromised=body.compromised)
        return RotatedSigningKey(message="Signing key rotated", key_id=key_id, old_keys_verify_until=_told(until))

    async def _rotate(
        self, transactions: Transactions, principal: Principal, kind: KeyKind, hours: float
    ) -> tuple[str, datetime]:
        rules.must_hold_admin_session(principal)
        return await self.keys.rotate(transactions, kind, timedelta(hours=hours))


def _told(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
