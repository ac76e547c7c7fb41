"""Signing keys replaced: what the old ones have signed stays good until it expires, and no longer."""

import asyncio
from datetime import timedelta

import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Database, Transactions
from headwater.kernel.errors import InvalidToken
from headwater.kernel.tokens import Tokens, TokenSettings
from headwater.kernel.vault import MasterKey, Vault

VAULT = Vault(MasterKey("k" * 16 + "0123456789abcdef"))
CLAIMS = {"sub": "8a1f6c1e-0000-4000-8000-000000000001"}
LIFETIME = 900
GRACE = timedelta(seconds=LIFETIME)


async def node(database: Database, clock: DrivenClock) -> Tokens:
    tokens = Tokens(TokenSettings(algorithm="EdDSA"), clock, VAULT)
    await tokens.load(Transactions(database))
    return tokens


async def rotate(tokens: Tokens, database: Database, grace: timedelta = GRACE) -> str:
    made = await tokens.make_key()
    await Transactions(database).writing(lambda tx: tokens.rotate(tx, made, grace))
    await tokens.load(Transactions(database))
    return made.id


def names(tokens: Tokens) -> list[object]:
    return [key["kid"] for key in tokens.jwks()["keys"]]


async def test_the_new_key_signs_and_the_old_one_verifies_until_its_tokens_expire(
    database: Database, clock: DrivenClock
) -> None:
    tokens = await node(database, clock)
    [old] = names(tokens)
    before = tokens.sign(CLAIMS, LIFETIME)
    new = await rotate(tokens, database)
    after = tokens.sign(CLAIMS, LIFETIME)
    assert names(tokens) == [new, old]
    for token in (before, after):
        tokens.verify(token)
    clock.advance(LIFETIME)
    tokens.verify(before)  # within the leeway that clocks are given
    clock.advance(31)
    assert names(tokens) == [new]
    with pytest.raises(InvalidToken):
        tokens.verify(before)


async def test_a_node_that_reads_the_keys_later_knows_both(database: Database, clock: DrivenClock) -> None:
    one, other = await node(database, clock), await node(database, clock)
    before = other.sign(CLAIMS, LIFETIME)
    await rotate(one, database)
    after = one.sign(CLAIMS, LIFETIME)
    assert other.lacks_key_of(after) and not other.lacks_key_of(before)
    with pytest.raises(InvalidToken):
        other.verify(after)
    await other.load(Transactions(database))
    assert names(other) == names(one)
    for token in (before, after):
        other.verify(token)
    late = await node(database, clock)
    late.verify(before)


async def test_what_a_compromised_key_signed_is_forgotten_at_once(database: Database, clock: DrivenClock) -> None:
    tokens = await node(database, clock)
    before = tokens.sign(CLAIMS, LIFETIME)
    assert tokens.principal(before).id == CLAIMS["sub"]
    new = await rotate(tokens, database, timedelta(0))
    assert names(tokens) == [new]
    with pytest.raises(InvalidToken):
        tokens.principal(before)


async def test_nodes_that_rotate_at_once_lose_no_key(database: Database, clock: DrivenClock) -> None:
    nodes = [await node(database, clock) for _ in range(3)]
    first = names(nodes[0])
    made = await asyncio.gather(*(rotate(each, database) for each in nodes))
    await nodes[0].load(Transactions(database))
    assert sorted(map(str, names(nodes[0]))) == sorted(map(str, [*first, *made]))


async def test_an_old_key_is_not_given_more_time_by_the_next_rotation(database: Database, clock: DrivenClock) -> None:
    tokens = await node(database, clock)
    before = tokens.sign(CLAIMS, 10 * LIFETIME)
    await rotate(tokens, database)
    clock.advance(600)
    await rotate(tokens, database)
    assert len(names(tokens)) == 3
    clock.advance(LIFETIME - 600 + 31)
    assert len(names(tokens)) == 2
    with pytest.raises(InvalidToken):
        tokens.verify(before)
    await rotate(tokens, database)
    await rotate(tokens, database)
    assert len(tokens._keys.verifying(clock.timestamp())) == len(list(tokens._keys)) == 4  # expired ones are gone


async def test_private_halves_and_ends_are_not_published(database: Database, clock: DrivenClock) -> None:
    tokens = await node(database, clock)
    await rotate(tokens, database)
    for key in tokens.jwks()["keys"]:
        assert key.keys() == {"kty", "crv", "x", "kid", "alg", "use"}


@pytest.mark.parametrize("text", ["", "a.b.c", "x" * 20_000, "eyJhbGciOiJIUzI1NiJ9.e30.", "eyJhbGciOiJSUzI1NiJ9.e30."])
async def test_what_names_no_key_lacks_none(database: Database, clock: DrivenClock, text: str) -> None:
    assert not (await node(database, clock)).lacks_key_of(text)
