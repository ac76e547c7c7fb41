"""Why the vault stays closed."""

from headwater.kernel.errors import Refusal


class EncryptionKeyMissing(Refusal):
    """With an external database the key must be configured, or a lost folder would lose every secret."""

    code = "ENCRYPTION_KEY_MISSING"
    status = 500
    sentence = (
        "With HEADWATER_DATABASE_URL set, HEADWATER_ENCRYPTION_KEY must be set too: "
        "make one with `openssl rand -base64 48` and keep it beside the database's backups"
    )


class WeakEncryptionKey(Refusal):
    """The configured key is too short, too simple or copied from an example."""

    code = "WEAK_ENCRYPTION_KEY"
    status = 500
    sentence = (
        "HEADWATER_ENCRYPTION_KEY must be {shortest} or more random characters: make it with `openssl rand -base64 48`"
    )


class ExposedEncryptionKey(Refusal):
    """The key file can be read by others."""

    code = "EXPOSED_ENCRYPTION_KEY"
    status = 500
    sentence = "{path} can be read by other users of this machine: run `chmod 600 {path}`"


class EmptyEncryptionKey(Refusal):
    """The key file is there and holds no key."""

    code = "EMPTY_ENCRYPTION_KEY"
    status = 500
    sentence = "{path} holds no encryption key: restore it from a backup"


class EncryptionKeyChanged(Refusal):
    """The secrets in this database were encrypted with another key."""

    code = "ENCRYPTION_KEY_CHANGED"
    status = 500
    sentence = (
        "This database's secrets were encrypted with key {known}, and the key at hand is {given}: set "
        "HEADWATER_ENCRYPTION_KEY to the first, or restore encryption.key in the data folder"
    )


class UnreadableSecret(Refusal):
    """A sealed value was altered, moved under another name, or sealed with another key."""

    code = "SECRET_UNREADABLE"
    status = 500
    sentence = "The secret {name} does not open: it was altered, moved, or sealed with another key"
