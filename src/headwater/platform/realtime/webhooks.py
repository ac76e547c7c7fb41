"""The secret under which this house signs what it sends to webhooks."""

import hmac
from base64 import b64decode, b64encode

from headwater.kernel.database import Transactions
from headwater.kernel.ids import new_secret
from headwater.kernel.vault import Vault

SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret begins with
_NAME = "realtime:webhooks"


class WebhookSecret:
    """Made when it is first asked for, the same on every node, and kept in the vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def read(self, transactions: Transactions) -> str:
        """The secret, as Standard Webhooks writes one: `whsec_` and 32 bytes in base64."""
        secret = await transactions.reading(lambda tx: self._vault.read(tx, _NAME))
        if secret is not None:
            return secret.decode()
        made = secret_of(bytes.fromhex(new_secret()))
        await transactions.writing(lambda tx: self._vault.add(tx, _NAME, made.encode(), reserved=True))
        return await self.read(transactions)


def secret_of(key: bytes) -> str:
    """The secret of webhooks, as Standard Webhooks writes a symmetric key."""
    return SECRET_PREFIX + b64encode(key).decode()


def signature_of(secret: str, message: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of a message: HMAC-SHA256 of id, time and body (Standard Webhooks 1.0)."""
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message}.{timestamp}.".encode() + body
    return "v1," + b64encode(hmac.digest(key, signed, "sha256")).decode()
