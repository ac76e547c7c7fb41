"""Secrets on a real Postgres: sealed, bound to their names, opened by one key."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Database, Transactions
from headwater.kernel.vault import EncryptionKeyChanged, MasterKey, UnreadableSecret, Vault

vault = Vault(MasterKey("k" * 16 + "0123456789abcdef"))
other_vault = Vault(MasterKey("another key 0123456789abcdefghij"))


@given(st.text(), st.binary())
def test_what_is_sealed_opens_under_its_name(name: str, value: bytes) -> None:
    sealed = vault.seal(name, value)
    assert vault.unseal(name, sealed) == value
    assert sealed != vault.seal(name, value)
    assert sealed.split(":")[:2] == ["v1", vault.fingerprint]


def test_a_ciphertext_moved_under_another_name_stays_shut() -> None:
    with pytest.raises(UnreadableSecret, match="altered"):
        vault.unseal("OTHER", vault.seal("NAME", b"value"))


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(UnreadableSecret, match="NAME"):
        other_vault.unseal("NAME", vault.seal("NAME", b"value"))


@given(st.integers(0, 200), st.characters(codec="ascii"))
def test_no_altered_ciphertext_opens(place: int, character: str) -> None:
    sealed = vault.seal("NAME", b"a value of some length")
    place %= len(sealed)
    altered = sealed[:place] + character + sealed[place + 1 :]
    if altered != sealed:
        with pytest.raises(UnreadableSecret):
            vault.unseal("NAME", altered)


def test_keys_for_different_purposes_are_different_and_stable() -> None:
    assert vault.derive("a") == Vault(MasterKey("k" * 16 + "0123456789abcdef")).derive("a") != vault.derive("b")
    assert len(vault.derive("a")) == 32


async def test_a_secret_is_kept_replaced_listed_and_removed(database: Database) -> None:
    transactions = Transactions(database)
    await transactions.writing(lambda tx: vault.write(tx, "NAME", b"first"))
    await transactions.writing(lambda tx: vault.write(tx, "NAME", b"second", reserved=True))
    assert await transactions.reading(lambda tx: vault.read(tx, "NAME")) == b"second"
    [secret] = [s for s in await transactions.reading(vault.list) if s.name == "NAME"]
    assert secret.is_reserved and secret.is_active
    stored = await transactions.reading(lambda tx: tx.value("select value_ciphertext from system.secrets"))
    assert "second" not in stored
    assert await transactions.writing(lambda tx: vault.remove(tx, "NAME"))
    assert not await transactions.writing(lambda tx: vault.remove(tx, "NAME"))
    assert await transactions.reading(lambda tx: vault.read(tx, "NAME")) is None


async def test_an_expired_secret_is_not_read(database: Database, clock: DrivenClock) -> None:
    transactions = Transactions(database)
    start = clock.now()
    await transactions.writing(lambda tx: vault.write(tx, "NAME", b"value", expires_at=start))
    assert await transactions.reading(lambda tx: vault.read(tx, "NAME")) is None


async def test_of_several_that_add_one_is_told_so(database: Database) -> None:
    transactions = Transactions(database)

    async def add(value: bytes) -> bool:
        return await transactions.writing(lambda tx: vault.add(tx, "NAME", value))

    added = await asyncio.gather(*(add(bytes([number])) for number in range(8)))
    assert sum(added) == 1
    winner = added.index(True)
    assert await transactions.reading(lambda tx: vault.read(tx, "NAME")) == bytes([winner])


async def test_the_database_remembers_its_key(database: Database) -> None:
    transactions = Transactions(database)
    await asyncio.gather(*(transactions.writing(vault.confirm_key) for _ in range(8)))
    with pytest.raises(EncryptionKeyChanged, match=f"{vault.fingerprint}.*{other_vault.fingerprint}"):
        await transactions.writing(other_vault.confirm_key)


async def test_no_role_of_a_request_reads_secrets(database: Database) -> None:
    transactions = Transactions(database)
    for role in ("anon", "authenticated", "project_admin"):
        assert not await transactions.reading(
            lambda tx, role=role: tx.value("select has_table_privilege($1, 'system.secrets', 'select')", role)
        )
