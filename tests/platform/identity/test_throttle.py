"""Failed sign-ins: counted, shared, forgiven; and hashing that is capped."""

import asyncio
from time import perf_counter
from typing import Any

import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.errors import Busy, TooManyRequests
from headwater.kernel.observe import Observer
from headwater.kernel.outbound import Outbound, OutboundSettings
from headwater.kernel.principal import NOBODY
from headwater.platform.identity import IdentitySettings
from headwater.platform.identity.errors import InvalidAdminCredentials, InvalidCredentials, WrongPassword
from headwater.platform.identity.models import AdminLogin, PasswordChange
from headwater.platform.identity.passwords import NOBODYS_HASH, Breaches, Passwords
from tests.platform.identity.conftest import Process, Start


async def fail(process: Process, times: int, email: str = "a@example.com", address: str = "192.0.2.1") -> None:
    for _ in range(times):
        with pytest.raises(InvalidCredentials):
            await process.sign_in(email, "wrong", address=address)


async def test_an_account_is_closed_for_a_while(start: Start, clock: DrivenClock) -> None:
    one, other = await start(failures_per_account=3), await start(failures_per_account=3)
    await one.sign_up()
    await fail(one, 2)
    await fail(other, 1)
    for process in (one, other):
        with pytest.raises(TooManyRequests) as refused:
            await process.sign_in()
        assert refused.value.headers["Retry-After"] == "900"
    await fail(one, 1, "b@example.com")
    clock.advance(900)
    await one.sign_in()


async def test_accounts_that_do_not_exist_close_alike(start: Start) -> None:
    process = await start(failures_per_account=2)
    await fail(process, 2)
    with pytest.raises(TooManyRequests):
        await process.sign_in()


async def test_a_network_is_closed_for_all_accounts(start: Start) -> None:
    process = await start(failures_per_address=3)
    await process.sign_up()
    for number in range(3):
        await fail(process, 1, f"{number}@example.com", f"2001:db8:0:1::{number}")
    with pytest.raises(TooManyRequests):
        await process.sign_in(address="2001:db8:0:1:ffff::1")
    await process.sign_in(address="2001:db8:0:2::1")


async def test_success_forgives_the_account_but_not_the_network(start: Start) -> None:
    process = await start(failures_per_account=2, failures_per_address=3)
    await process.sign_up()
    await fail(process, 1)
    await process.sign_in()
    await fail(process, 1)
    await process.sign_in()
    await fail(process, 1)
    with pytest.raises(TooManyRequests):
        await process.sign_in()
    await process.sign_in(address="192.0.2.2")


async def test_every_door_shares_the_count(start: Start) -> None:
    process = await start(failures_per_account=3)
    principal = process.whoami(await process.sign_up())
    change = PasswordChange(current_password="wrong", new_password="secret 2", address="192.0.2.9")
    await fail(process, 2)
    with pytest.raises(WrongPassword):
        await process.own_account.change_password(process.transactions, principal, change)
    with pytest.raises(TooManyRequests):
        await process.own_account.change_password(process.transactions, principal, change)
    with pytest.raises(TooManyRequests):
        await process.sign_in()


async def test_guesses_sent_all_at_once_learn_no_more(start: Start) -> None:
    process = await start(failures_per_account=5)
    await process.sign_up()
    guesses = await asyncio.gather(
        *(process.sign_in(password=f"guess {number}") for number in range(20)), return_exceptions=True
    )
    answered = [guess for guess in guesses if isinstance(guess, InvalidCredentials)]
    refused = [guess for guess in guesses if isinstance(guess, TooManyRequests)]
    assert (len(answered), len(refused)) == (5, 15)


async def test_the_admins_door_is_throttled(start: Start) -> None:
    process = await start(failures_per_account=2)
    for _ in range(2):
        with pytest.raises(InvalidAdminCredentials):
            await process.identity.sign_in_admin(
                process.transactions, NOBODY, AdminLogin(username="root", password="wrong")
            )
    with pytest.raises(TooManyRequests):
        await process.identity.sign_in_admin(
            process.transactions, NOBODY, AdminLogin(username="root", password="correct horse")
        )


async def test_an_unknown_address_costs_the_same_time(process: Process) -> None:
    await process.sign_up()

    async def seconds(email: str) -> float:
        began = perf_counter()
        with pytest.raises(InvalidCredentials):
            await process.sign_in(email, "wrong")
        return perf_counter() - began

    rounds = [(await seconds("a@example.com"), await seconds("b@example.com")) for _ in range(7)]
    known, unknown = (min(measured) for measured in zip(*rounds, strict=True))
    assert 0.5 < unknown / known < 2


def hasher(**values: Any) -> Passwords:
    """Passwords without the rest of identity; nothing is asked of anybody."""
    settings = IdentitySettings(**values)
    return Passwords(settings, Breaches(settings, Outbound(OutboundSettings(), DrivenClock(), Observer())))


async def test_hashing_is_capped() -> None:
    passwords = hasher(hashing_threads=1, hashing_queue=2)
    asked = await asyncio.gather(*(passwords.hash("secret") for _ in range(6)), return_exceptions=True)
    assert [isinstance(answer, Busy) for answer in asked] == [False, False, False, True, True, True]
    assert await passwords.hash("secret")


async def test_who_gives_up_waiting_leaves_his_place() -> None:
    passwords = hasher(hashing_threads=1, hashing_queue=0)
    for _ in range(3):
        waiting = asyncio.create_task(passwords.hash("secret"))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.sleep(0.2)
    assert await passwords.hash("secret")


async def test_nobodys_hash_is_a_real_one_that_nothing_matches() -> None:
    passwords = hasher()
    assert await passwords.prove(None, "") is None
    assert not passwords._hasher.check_needs_rehash(NOBODYS_HASH)
