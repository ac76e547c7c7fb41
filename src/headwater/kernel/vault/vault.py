"""The vault: values sealed with AES-256-GCM, and named secrets in `system.secrets`."""

import os
from base64 import b64decode, b64encode
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from headwater.kernel.database import ReadingTransaction, WritingTransaction
from headwater.kernel.vault import queries
from headwater.kernel.vault.errors import EncryptionKeyChanged, UnreadableSecret
from headwater.kernel.vault.key import MasterKey
from headwater.kernel.vault.models import Secret

_VERSION = "v1"
_NONCE_SIZE = 12


class Vault:
    """Keeps secrets so that the database alone gives none away.

    A sealed value is the text `v1:<key's fingerprint>:<base64 of nonce, ciphertext and tag>`. Its name is
    authenticated with it, so a value copied under another name does not open; the fingerprint says which key it
    needs, so that keys can be changed one value at a time.
    """

    def __init__(self, key: MasterKey) -> None:
        self._key = key
        self.fingerprint = key.fingerprint
        self._cipher = AESGCM(key.derive("vault:encryption"))

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose, the same on every node with this key (HKDF-SHA256)."""
        return self._key.derive(purpose)

    def seal(self, name: str, value: bytes) -> str:
        """Encrypt a value under its name, for a column of one's own."""
        nonce = os.urandom(_NONCE_SIZE)
        sealed = self._cipher.encrypt(nonce, value, _bound_to(name, self.fingerprint))
        return f"{_VERSION}:{self.fingerprint}:{b64encode(nonce + sealed).decode()}"

    def unseal(self, name: str, sealed: str) -> bytes:
        """The value that was sealed under this name; raises `UnreadableSecret` if this is not it."""
        version, _, rest = sealed.partition(":")
        fingerprint, _, encoded = rest.partition(":")
        if version != _VERSION or fingerprint != self.fingerprint:
            raise UnreadableSecret(name=name)
        try:
            raw = b64decode(encoded, validate=True)
            return self._cipher.decrypt(raw[:_NONCE_SIZE], raw[_NONCE_SIZE:], _bound_to(name, fingerprint))
        except (ValueError, InvalidTag) as failure:
            raise UnreadableSecret(name=name) from failure

    async def confirm_key(self, tx: WritingTransaction) -> None:
        """Remember the key's fingerprint at the first start, and compare it at every later one.

        Raises `EncryptionKeyChanged` where the database's secrets need another key.
        """
        known = await queries.keep_fingerprint(tx, self.fingerprint)
        if known != self.fingerprint:
            raise EncryptionKeyChanged(known=known, given=self.fingerprint)

    async def read(self, tx: ReadingTransaction, name: str) -> bytes | None:
        """The value of a secret; None if there is none, or it is inactive or expired."""
        sealed = await queries.find_ciphertext(tx, name)
        return None if sealed is None else self.unseal(name, sealed)

    async def write(
        self,
        tx: WritingTransaction,
        name: str,
        value: bytes,
        *,
        reserved: bool = False,
        expires_at: datetime | None = None,
    ) -> None:
        """Keep a secret; it takes the place of one with the same name."""
        await queries.put_secret(tx, name, self.seal(name, value), reserved, expires_at)

    async def add(self, tx: WritingTransaction, name: str, value: bytes, *, reserved: bool = False) -> bool:
        """Keep a secret unless the name is taken; whether it was kept.

        Of several nodes at once one is told True, after the others' transactions have ended.
        """
        return await queries.add_secret(tx, name, self.seal(name, value), reserved)

    async def lock(self, tx: WritingTransaction, name: str) -> bytes | None:
        """The value of a secret that is to be replaced: whoever else locks it waits until this transaction ends."""
        await queries.lock_secret(tx, name)
        return await self.read(tx, name)

    async def list(self, tx: ReadingTransaction) -> list[Secret]:
        """Every secret, without values, by name."""
        return await queries.list_secrets(tx)

    async def remove(self, tx: WritingTransaction, name: str) -> bool:
        """Forget a secret; whether there was one."""
        return await queries.remove_secret(tx, name)


def _bound_to(name: str, fingerprint: str) -> bytes:
    return f"{_VERSION}:{fingerprint}:{name}".encode()
