"""Keys rotated: the old ones end when they are said to, on every node, and no key makes a key."""

from typing import Any

import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Database
from headwater.kernel.errors import InvalidAnonKey, InvalidApiKey, InvalidToken
from headwater.kernel.principal import NOBODY, Kind, Principal
from headwater.platform.identity.errors import AdminSessionNeeded
from headwater.platform.identity.models import AdminLogin, AnonKeyRotation, ApiKeyRotation, SigningKeyRotation
from tests.kernel.waiting import until
from tests.platform.identity.conftest import Process, Start


async def admin_of(process: Process) -> Principal:
    login = AdminLogin(username="root", password="correct horse", client_type="web")
    return process.whoami(await process.identity.sign_in_admin(process.transactions, NOBODY, login))


async def test_both_keys_are_good_until_the_old_one_ends(start: Start, database: Database, clock: DrivenClock) -> None:
    one, other = await start(), await start()
    old = (await database.reading(one.keys.read_keys)).admin_key
    body = ApiKeyRotation(grace_period_hours=1)
    rotated = await one.keys.rotate_api_key(one.transactions, await admin_of(one), body)
    new = str(rotated.api_key)
    assert rotated.old_key_expires_at == "2030-01-01T01:00:00.000Z"
    assert new.startswith("ik_") and new != old
    for key in (old, new):
        assert one.identity.recognise(None, key).is_admin
    await until(lambda: knows(other, new), 2)
    assert other.identity.recognise(None, old).expires_at == clock.timestamp() + 3600
    assert (await database.reading(other.keys.read_keys)).admin_key == new
    clock.advance(3600)
    for process in (one, other):
        assert process.identity.recognise(None, new).is_admin
        with pytest.raises(InvalidApiKey):
            process.identity.recognise(None, old)


def knows(process: Process, key: str) -> bool:
    try:
        return process.identity.recognise(None, key).is_admin
    except InvalidApiKey:
        return False


async def test_without_grace_every_old_key_ends_at_once(process: Process, database: Database) -> None:
    admin = await admin_of(process)
    keys = [(await database.reading(process.keys.read_keys)).anon_key]
    for hours in (720, 720, 0):
        body = AnonKeyRotation(grace_period_hours=hours)
        keys.append(str((await process.keys.rotate_anon_key(process.transactions, admin, body)).anon_key))
    for key in keys[:-1]:
        with pytest.raises(InvalidAnonKey):
            process.identity.recognise(f"Bearer {key}")
    assert process.identity.recognise(f"Bearer {keys[-1]}").kind is Kind.ANON


async def test_a_rotation_gives_no_old_key_more_time(process: Process, database: Database, clock: DrivenClock) -> None:
    admin = await admin_of(process)
    old = (await database.reading(process.keys.read_keys)).admin_key
    for hours in (1, 168):
        await process.keys.rotate_api_key(process.transactions, admin, ApiKeyRotation(grace_period_hours=hours))
    clock.advance(3600)
    with pytest.raises(InvalidApiKey):
        process.identity.recognise(None, old)


async def test_a_key_makes_no_key(process: Process, database: Database) -> None:
    keys = await database.reading(process.keys.read_keys)
    by_key = process.identity.recognise(None, keys.admin_key)
    user = process.whoami(await process.sign_up())
    for caller in (by_key, user):
        attempts: list[Any] = [
            process.keys.rotate_api_key(process.transactions, caller, ApiKeyRotation()),
            process.keys.rotate_anon_key(process.transactions, caller, AnonKeyRotation()),
            process.keys.rotate_signing_key(process.transactions, caller, SigningKeyRotation()),
        ]
        for attempt in attempts:
            with pytest.raises(AdminSessionNeeded):
                await attempt
    assert await database.reading(process.keys.read_keys) == keys


async def test_a_new_signing_key_is_known_on_every_node(start: Start, clock: DrivenClock) -> None:
    one, other = await start(), await start()
    before = await one.sign_up()
    rotated = await one.keys.rotate_signing_key(one.transactions, await admin_of(one), SigningKeyRotation())
    after = await one.sign_in()
    assert one.identity.tokens.jwks()["keys"][0]["kid"] == rotated.key_id
    await until(lambda: other.identity.tokens.jwks() == one.identity.tokens.jwks(), 2)
    assert len(other.identity.tokens.jwks()["keys"]) == 2
    for process in (one, other):
        process.whoami(before)
        process.whoami(after)
    clock.advance(900 + 60 + 31)
    assert [key["kid"] for key in other.identity.tokens.jwks()["keys"]] == [rotated.key_id]


async def test_a_node_that_has_not_heard_looks_the_key_up(start: Start, clock: DrivenClock) -> None:
    one, other = await start(), await start()
    assert other.bus._connection is not None
    await other.bus.stop()
    clock.advance(10)
    await one.keys.rotate_signing_key(one.transactions, await admin_of(one), SigningKeyRotation())
    after = await one.sign_up()
    with pytest.raises(InvalidToken):
        other.whoami(after)
    principal = await other.identity.authenticate({"authorization": f"Bearer {after.access_token}"})
    assert principal == one.whoami(after)


async def test_keys_that_nobody_made_are_looked_up_seldom(
    process: Process, clock: DrivenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = 0
    load = process.identity.tokens.load

    async def count(*arguments: Any) -> None:
        nonlocal loads
        loads += 1
        await load(*arguments)

    monkeypatch.setattr(process.identity.tokens, "load", count)
    shown = {"authorization": "Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.e30.c2ln"}
    for seconds in (0, 0, 0, 4, 1):
        clock.advance(seconds)
        with pytest.raises(InvalidToken):
            await process.identity.authenticate(shown)
    assert loads == 2


async def test_a_compromised_signing_key_ends_access_but_no_session(process: Process, clock: DrivenClock) -> None:
    signed_in = await process.sign_up()
    process.whoami(signed_in)
    admin = await admin_of(process)
    rotated = await process.keys.rotate_signing_key(process.transactions, admin, SigningKeyRotation(compromised=True))
    assert rotated.old_keys_verify_until == "2030-01-01T00:00:00.000Z"
    with pytest.raises(InvalidToken):
        process.whoami(signed_in)
    process.whoami(await process.refresh(signed_in.grant.refresh_token))
