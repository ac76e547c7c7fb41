"""The one key that everything secret hangs on: where it comes from and what is derived from it."""

import os
import re
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from headwater.kernel.vault.errors import (
    EmptyEncryptionKey,
    EncryptionKeyMissing,
    ExposedEncryptionKey,
    WeakEncryptionKey,
)
from headwater.kernel.vault.models import VaultSettings

KEY_FILE = "encryption.key"
_KEY_SIZE = 32
_SHORTEST = 32
_FEWEST_CHARACTERS = 8
_PLACEHOLDER = re.compile(
    r"change.?(me|this|it)|example|placeholder|your.?(secret|key|encryption)|password", re.IGNORECASE
)


class MasterKey:
    """The encryption key, and independent keys derived from it (HKDF-SHA256, RFC 5869)."""

    def __init__(self, material: str) -> None:
        self._material = material.strip().encode()

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose; always the same for the same key, and they tell nothing of any other."""
        return HKDF(algorithm=SHA256(), length=_KEY_SIZE, salt=None, info=f"headwater:{purpose}".encode()).derive(
            self._material
        )

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that name the key without telling anything of it."""
        return self.derive("vault:fingerprint").hex()[:16]


def find_key(settings: VaultSettings, folder: Path, *, external_database: bool = False) -> MasterKey:
    """The configured key, or the one in `folder`, made at the first start with mode 0600.

    The configured text is used as it is written, whether hexadecimal, base64 or words: the content of a key file
    moves into the setting unchanged. Raises `WeakEncryptionKey`, `ExposedEncryptionKey`,
    `EmptyEncryptionKey`, and `EncryptionKeyMissing` where the database is external and no key is configured.
    """
    if settings.encryption_key is not None:
        must_be_strong(settings.encryption_key)
        return MasterKey(settings.encryption_key)
    if external_database:
        raise EncryptionKeyMissing
    return MasterKey(_key_in(folder))


def must_be_strong(text: str) -> None:
    """Refuse a key that could be guessed: short, repetitive or copied from an example."""
    stripped = text.strip()
    if len(stripped) < _SHORTEST or len(set(stripped)) < _FEWEST_CHARACTERS or _PLACEHOLDER.search(stripped):
        raise WeakEncryptionKey(shortest=_SHORTEST)


def _key_in(folder: Path) -> str:
    path = folder / KEY_FILE
    if not path.exists():
        _make_key(path)
    if path.stat().st_mode & 0o077:
        raise ExposedEncryptionKey(path=path)
    text = path.read_text(encoding="ascii")
    if len(text.strip()) < _SHORTEST:
        raise EmptyEncryptionKey(path=path)
    return text


def _make_key(path: Path) -> None:
    """Write a new key; of several processes at once one wins, and nobody ever sees half a file."""
    draft = path.with_name(f".{KEY_FILE}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(_KEY_SIZE) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
