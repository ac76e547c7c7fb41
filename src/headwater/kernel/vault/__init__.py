"""Secrets at rest: one key, sealed values, keys derived for other purposes."""

from headwater.kernel.vault.errors import (
    EmptyEncryptionKey,
    EncryptionKeyChanged,
    EncryptionKeyMissing,
    ExposedEncryptionKey,
    UnreadableSecret,
    WeakEncryptionKey,
)
from headwater.kernel.vault.key import KEY_FILE, MasterKey, find_key
from headwater.kernel.vault.models import Secret, VaultSettings
from headwater.kernel.vault.vault import Vault

__all__ = [
    "KEY_FILE",
    "EmptyEncryptionKey",
    "EncryptionKeyChanged",
    "EncryptionKeyMissing",
    "ExposedEncryptionKey",
    "MasterKey",
    "Secret",
    "UnreadableSecret",
    "Vault",
    "VaultSettings",
    "WeakEncryptionKey",
    "find_key",
]
