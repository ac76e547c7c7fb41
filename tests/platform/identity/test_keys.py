"""The project's keys, and which credential stands for whom."""

import asyncio

import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Database
from headwater.kernel.errors import InvalidAnonKey, InvalidApiKey, InvalidToken
from headwater.kernel.principal import NOBODY, Kind
from headwater.platform.identity.errors import WeakSecret
from tests.kernel.waiting import until
from tests.platform.identity.conftest import Process, Start


async def test_the_keys_stand_for_their_roles(process: Process, database: Database) -> None:
    keys = await database.reading(process.keys.read_keys)
    assert keys.admin_key.startswith("ik_") and len(keys.admin_key) == 67
    assert keys.anon_key.startswith("anon_") and len(keys.anon_key) == 69
    admin = process.identity.recognise(None, keys.admin_key)
    assert admin == process.identity.recognise(f"Bearer {keys.admin_key}")
    assert (admin.kind, admin.role, admin.claims_json) == (Kind.ADMIN, "project_admin", '{"role":"project_admin"}')
    anon = process.identity.recognise(f"bearer {keys.anon_key}")
    assert (anon.kind, anon.role, anon.id, anon.claims_json) == (Kind.ANON, "anon", None, '{"role":"anon"}')


async def test_a_credential_is_judged_by_its_shape_alone(process: Process, database: Database) -> None:
    keys = await database.reading(process.keys.read_keys)
    recognise = process.identity.recognise
    user = f"Bearer {(await process.sign_up()).access_token}"
    assert recognise(user, keys.admin_key).kind is Kind.ADMIN
    assert recognise(user).kind is Kind.USER
    for wrong in ("ik_" + "0" * 64, keys.anon_key, "anything", user.removeprefix("Bearer ")):
        with pytest.raises(InvalidApiKey):
            recognise(user, wrong)
    for shown, refusal in (
        ("ik_wrong", InvalidApiKey),
        ("ik_" + keys.anon_key, InvalidApiKey),
        ("anon_wrong", InvalidAnonKey),
        ("anon_" + keys.admin_key, InvalidAnonKey),
        ("", InvalidToken),
        ("wrong", InvalidToken),
        (user[7:-4], InvalidToken),
    ):
        with pytest.raises(refusal):
            recognise(f"Bearer {shown}")


async def test_nothing_shown_is_nobody(process: Process) -> None:
    for headers in ({}, {"authorization": ""}, {"authorization": "Basic eDp5"}, {"x-api-key": ""}):
        assert await process.identity.authenticate(headers) is NOBODY


async def test_processes_that_start_at_once_share_the_keys(start: Start, database: Database) -> None:
    processes = await asyncio.gather(*(start() for _ in range(3)))
    keys = [await database.reading(process.keys.read_keys) for process in processes]
    assert len(set(map(str, keys))) == 1
    assert await database.reading(lambda tx: tx.value("select count(*) from auth.api_keys")) == 2
    for process in processes:
        assert process.identity.recognise(None, keys[0].admin_key).is_admin


async def test_configured_keys_seed_a_new_installation(start: Start, database: Database) -> None:
    process = await start(api_key="a" * 40, anon_key="anon_" + "b" * 40)
    keys = await database.reading(process.keys.read_keys)
    assert (keys.admin_key, keys.anon_key) == ("ik_" + "a" * 40, "anon_" + "b" * 40)
    later = await start(api_key="c" * 40)
    assert await database.reading(later.keys.read_keys) == keys


async def test_a_short_configured_key_refuses_the_start(start: Start) -> None:
    with pytest.raises(WeakSecret):
        await start(api_key="ik_secret")


async def test_a_key_ends_by_our_clock_and_by_its_row(process: Process, database: Database, clock: DrivenClock) -> None:
    keys = await database.reading(process.keys.read_keys)
    until_then = clock.now()
    await database.writing(
        lambda tx: tx.execute(
            "update auth.api_keys set expires_at = $1::timestamptz + interval '1 hour' where kind = 'anon'", until_then
        )
    )
    await until(lambda: process.identity.recognise(f"Bearer {keys.anon_key}").expires_at, 2)
    clock.advance(3600)
    with pytest.raises(InvalidAnonKey):
        process.identity.recognise(f"Bearer {keys.anon_key}")


async def test_the_database_holds_no_key_in_clear(process: Process, database: Database) -> None:
    keys = await database.reading(process.keys.read_keys)
    dumped = await database.reading(
        lambda tx: tx.value("select string_agg(s::text || k::text, '') from system.secrets s, auth.api_keys k")
    )
    for key in (keys.anon_key, keys.admin_key):
        assert key not in dumped and key.partition("_")[2] not in dumped
