"""Signing keys: made once, kept in the vault, published without their private half."""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import datetime
from math import inf

import msgspec
from joserfc.jwk import OKPKey, RSAKey

from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.tokens.models import Algorithm
from headwater.kernel.vault import Vault

ALGORITHMS: tuple[Algorithm, ...] = ("RS256", "EdDSA")
_RSA_BITS = 2048
_UNTIL = "headwater_until"
"""Where a retired key's end is written beside its members (RFC 7517, 4: others are to ignore it)."""


class SigningKey(msgspec.Struct, frozen=True):
    """A private key, the algorithm it is for, and its name in token headers (RFC 7638).

    `until`, in seconds since 1970, is when a key that was replaced stops to verify.
    """

    algorithm: Algorithm
    key: RSAKey | OKPKey
    id: str
    until: float = inf

    @property
    def public(self) -> dict[str, object]:
        """What others need to verify with it (RFC 7517)."""
        return {**self.key.as_dict(private=False), "kid": self.id, "alg": self.algorithm, "use": "sig"}


class SigningKeys:
    """The keys at hand: the newest of an algorithm signs, and all verify until their time is over."""

    def __init__(self, keys: Iterable[SigningKey] = ()) -> None:
        self._by_id = {key.id: key for key in keys}

    def __iter__(self) -> Iterator[SigningKey]:
        return iter(self._by_id.values())

    def find(self, key_id: str | None, algorithm: str, now: float) -> SigningKey | None:
        """The key a token names, if it verifies now and is meant for the algorithm that the token names."""
        key = None if key_id is None else self._by_id.get(key_id)
        return key if key is not None and key.algorithm == algorithm and key.until > now else None

    def verifying(self, now: float) -> list[SigningKey]:
        """The keys that verify now."""
        return [key for key in self if key.until > now]

    def signing(self, algorithm: Algorithm) -> SigningKey | None:
        """The key that signs with an algorithm."""
        return next((key for key in self if key.algorithm == algorithm), None)


async def load_keys(transactions: Transactions, vault: Vault, algorithm: Algorithm) -> SigningKeys:
    """Every key in the vault, one of `algorithm` among them; it is made if there is none.

    Of several nodes that make one at once, the first to commit wins and the others take his.
    """
    keys = await transactions.reading(lambda tx: _read_keys(tx, vault))
    if keys.signing(algorithm) is not None:
        return keys
    made = await asyncio.to_thread(generate_key, algorithm)

    async def keep(tx: WritingTransaction) -> SigningKeys:
        await vault.add(tx, _name_of(algorithm), _packed([made]), reserved=True)
        return await _read_keys(tx, vault)

    return await transactions.writing(keep)


async def replace_keys(tx: WritingTransaction, vault: Vault, made: SigningKey, until: datetime) -> None:
    """Let a new key sign from now on; the old ones of its algorithm verify until a moment, and expired ones go.

    Of several nodes that do so at once each waits for the one before, and all of their keys stay.
    """
    name = _name_of(made.algorithm)
    packed = await vault.lock(tx, name)
    old = [] if packed is None else list(_unpacked(made.algorithm, packed))
    kept = [SigningKey(key.algorithm, key.key, key.id, min(key.until, until.timestamp())) for key in old]
    living = [key for key in kept if key.until > tx.now.timestamp()]
    await vault.write(tx, name, _packed([made, *living]), reserved=True)


def generate_key(algorithm: Algorithm) -> SigningKey:
    """A new key: RSA of 2,048 bits (about a tenth of a second of work), or Ed25519."""
    return _named(algorithm, RSAKey.generate_key(_RSA_BITS) if algorithm == "RS256" else OKPKey.generate_key("Ed25519"))


async def _read_keys(tx: ReadingTransaction, vault: Vault) -> SigningKeys:
    found: list[SigningKey] = []
    for algorithm in ALGORITHMS:
        packed = await vault.read(tx, _name_of(algorithm))
        if packed is not None:
            found += _unpacked(algorithm, packed)
    return SigningKeys(found)


def _name_of(algorithm: Algorithm) -> str:
    return f"tokens/{algorithm}"


def _packed(keys: Iterable[SigningKey]) -> bytes:
    members = [
        {**key.key.as_dict(private=True), **({} if key.until == inf else {_UNTIL: repr(key.until)})} for key in keys
    ]
    return msgspec.json.encode({"keys": members})


def _unpacked(algorithm: Algorithm, packed: bytes) -> Iterator[SigningKey]:
    kind = RSAKey if algorithm == "RS256" else OKPKey
    for members in msgspec.json.decode(packed, type=dict[str, list[dict[str, str]]])["keys"]:
        until = float(members.pop(_UNTIL, inf))
        members.pop("kid", None)
        yield _named(algorithm, kind.import_key({**members}), until)


def _named(algorithm: Algorithm, key: RSAKey | OKPKey, until: float = inf) -> SigningKey:
    return SigningKey(algorithm, key, key.thumbprint(), until)
