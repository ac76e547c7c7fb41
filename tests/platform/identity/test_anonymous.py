"""Users who do not say who they are, and what becomes of what is theirs when they do."""

import asyncio

import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Database
from headwater.kernel.errors import InvalidToken, TooManyRequests
from headwater.kernel.principal import NOBODY
from headwater.platform.identity.errors import AnonymousNotAllowed, EmailExists, NoSession, NotAnonymous, WeakPassword
from headwater.platform.identity.events import UserCreated, UserUpgraded
from headwater.platform.identity.models import AnonymousSignIn, SignedIn, Upgrade
from tests.platform.identity.conftest import Process, Start, user_of


@pytest.fixture
async def process(start: Start) -> Process:
    return await start(allow_anonymous=True)


async def enter(process: Process, address: str = "192.0.2.1") -> SignedIn:
    body = AnonymousSignIn(client_type="mobile", address=address)
    return await process.anonymous.sign_in_anonymously(process.transactions, NOBODY, body)


async def upgrade(
    process: Process, signed_in: SignedIn, email: str = "a@example.com", password: str = "secret"
) -> SignedIn:
    body = Upgrade(client_type="mobile", email=email, password=password, name="Ann")
    upgraded = await process.anonymous.upgrade(process.transactions, process.whoami(signed_in), body)
    assert isinstance(upgraded, SignedIn)
    return upgraded


async def test_they_are_not_allowed_unless_told(start: Start) -> None:
    with pytest.raises(AnonymousNotAllowed):
        await enter(await start())


async def test_their_token_says_so_and_their_session_lasts(process: Process) -> None:
    signed_in = await enter(process)
    user = user_of(signed_in)
    assert (user.email, user.is_anonymous, user.providers) == (None, True, ())
    principal = process.whoami(signed_in)
    assert principal.claims["is_anonymous"] is True
    assert "email" not in principal.claims
    assert process.effects.events == [UserCreated(user_id=user.id, email=None)]
    assert process.whoami(await process.refresh(signed_in.grant.refresh_token)).id == str(user.id)
    assert process.whoami(await process.sign_up()).claims["is_anonymous"] is False


async def test_two_of_them_are_two(process: Process) -> None:
    first, second = await enter(process), await enter(process)
    assert user_of(first).id != user_of(second).id


async def test_saying_who_one_is_keeps_the_id_and_the_rows(process: Process, database: Database) -> None:
    signed_in = await enter(process)
    user_id = user_of(signed_in).id
    await database.writing(
        lambda tx: tx.execute(
            "create table public.notes (id int, author uuid references auth.users (id) on delete cascade)"
        )
    )
    await database.writing(lambda tx: tx.execute("insert into public.notes values (1, $1)", user_id))
    upgraded = await upgrade(process, signed_in)
    user = user_of(upgraded)
    assert (user.id, user.email, user.providers, user.profile) == (
        user_id,
        "a@example.com",
        ("email",),
        {"name": "Ann"},
    )
    assert process.whoami(upgraded).claims["is_anonymous"] is False
    assert await database.reading(lambda tx: tx.value("select author from public.notes")) == user_id
    assert UserUpgraded(user_id=user_id, email="a@example.com") in process.effects.events
    assert user_of(await process.sign_in()).id == user_id
    with pytest.raises(InvalidToken):  # it says that he is anonymous, which policies would believe
        process.whoami(signed_in)
    with pytest.raises(NoSession):
        await process.refresh(signed_in.grant.refresh_token)


async def test_an_address_that_is_taken_changes_nothing(process: Process) -> None:
    await process.sign_up()
    signed_in = await enter(process)
    with pytest.raises(EmailExists):
        await upgrade(process, signed_in, "A@example.com")
    with pytest.raises(WeakPassword):
        await upgrade(process, signed_in, "b@example.com", "short")
    assert process.whoami(signed_in).claims["is_anonymous"] is True
    await upgrade(process, signed_in, "b@example.com")


async def test_one_says_who_one_is_once(process: Process) -> None:
    signed_in = await enter(process)
    outcomes = await asyncio.gather(
        *(upgrade(process, signed_in, f"{name}@example.com") for name in "abc"), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NotAnonymous", "NotAnonymous", "SignedIn"]
    with pytest.raises(NotAnonymous):
        await upgrade(process, await process.sign_up("d@example.com"), "e@example.com")


async def test_one_network_makes_so_many_an_hour(start: Start, clock: DrivenClock, database: Database) -> None:
    process = await start(allow_anonymous=True, anonymous_per_address=2)
    for _ in range(2):
        await enter(process, "2001:db8::1")
    for address in ("2001:db8::1", "2001:db8::2"):
        with pytest.raises(TooManyRequests):
            await enter(process, address)
    assert await database.reading(lambda tx: tx.value("select count(*) from auth.users")) == 2
    await enter(process, "2001:db8:0:1::1")
    clock.advance(3600)
    await enter(process, "2001:db8::1")


async def idle(process: Process, clock: DrivenClock, days: float) -> None:
    """Let so many days pass, and the timers of identity run."""
    clock.advance(days * 86_400)
    for operation in (process.identity.remove_expired, process.anonymous.remove_idle):
        await process.database.writing(operation)


async def users_left(database: Database) -> int:
    return await database.reading(lambda tx: tx.value("select count(*)::int from auth.users"))


async def test_whom_nobody_can_come_back_to_is_removed(start: Start, database: Database, clock: DrivenClock) -> None:
    process = await start(allow_anonymous=True, anonymous_keep_days=30)
    await enter(process)
    await upgrade(process, await enter(process))
    token = (await enter(process)).grant.refresh_token
    for _ in range(10):
        await idle(process, clock, 5)
        token = (await process.refresh(token)).grant.refresh_token
    assert await users_left(database) == 2
    await idle(process, clock, 29)
    assert await users_left(database) == 2, "his session is over, and he was here 29 days ago"
    await idle(process, clock, 2)
    assert await database.reading(lambda tx: tx.value("select array_agg(email) from auth.users")) == ["a@example.com"]


async def test_they_are_kept_unless_told(process: Process, database: Database, clock: DrivenClock) -> None:
    await enter(process)
    await idle(process, clock, 1000)
    assert await users_left(database) == 1


async def test_who_is_held_on_to_stays_and_holds_up_nobody(
    start: Start, database: Database, clock: DrivenClock
) -> None:
    process = await start(allow_anonymous=True, anonymous_keep_days=1)
    first = user_of(await enter(process)).id
    for _ in range(3):
        await enter(process)
    await database.writing(
        lambda tx: tx.execute("create table public.invoices (payer uuid references auth.users (id))")
    )
    await database.writing(lambda tx: tx.execute("insert into public.invoices values ($1)", first))
    await idle(process, clock, 30)
    assert await database.reading(lambda tx: tx.value("select array_agg(id) from auth.users")) == [first]
