"""Where the encryption key comes from, and which are refused."""

import threading
from pathlib import Path

import pytest

from headwater.kernel.vault import (
    KEY_FILE,
    EmptyEncryptionKey,
    EncryptionKeyMissing,
    ExposedEncryptionKey,
    VaultSettings,
    WeakEncryptionKey,
    find_key,
)

UNSET = VaultSettings()
GOOD = "q8Zr3v0Lk2m9XyT5nB7wQe1RfG4hJ6sD"


def test_the_first_start_makes_a_key_that_only_its_owner_reads(tmp_path: Path) -> None:
    made = find_key(UNSET, tmp_path)
    file = tmp_path / KEY_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert find_key(UNSET, tmp_path).fingerprint == made.fingerprint
    assert find_key(VaultSettings(encryption_key=file.read_text()), tmp_path).fingerprint == made.fingerprint
    assert [entry.name for entry in tmp_path.iterdir()] == [KEY_FILE]


def test_starts_at_once_agree_on_one_key(tmp_path: Path) -> None:
    found: list[str] = []
    starts = [threading.Thread(target=lambda: found.append(find_key(UNSET, tmp_path).fingerprint)) for _ in range(16)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert len(found) == 16 and len(set(found)) == 1


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    find_key(UNSET, tmp_path)
    (tmp_path / KEY_FILE).chmod(0o644)
    with pytest.raises(ExposedEncryptionKey, match="chmod 600"):
        find_key(UNSET, tmp_path)


def test_an_emptied_file_is_not_taken_for_a_key(tmp_path: Path) -> None:
    find_key(UNSET, tmp_path)
    (tmp_path / KEY_FILE).write_text("")
    with pytest.raises(EmptyEncryptionKey, match="backup"):
        find_key(UNSET, tmp_path)


def test_an_external_database_needs_a_configured_key(tmp_path: Path) -> None:
    with pytest.raises(EncryptionKeyMissing, match="HEADWATER_ENCRYPTION_KEY"):
        find_key(UNSET, tmp_path, external_database=True)
    find_key(VaultSettings(encryption_key=GOOD), tmp_path, external_database=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "weak", ["", "short", "a" * 64, "0" * 32, "your-encryption-key-change-in-production-0123", GOOD[:31]]
)
def test_keys_that_could_be_guessed_are_refused(tmp_path: Path, weak: str) -> None:
    with pytest.raises(WeakEncryptionKey):
        find_key(VaultSettings(encryption_key=weak), tmp_path)


@pytest.mark.parametrize("good", [GOOD, "0f" * 8 + "1a2b3c4d5e6f7089" * 2, "correct horse battery staple river moon"])
def test_any_long_text_is_a_key(tmp_path: Path, good: str) -> None:
    assert len(find_key(VaultSettings(encryption_key=good), tmp_path).derive("x")) == 32
