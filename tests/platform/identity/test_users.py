"""Users as the admin cares for them: changed, banned, removed, their sessions ended."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Database
from headwater.kernel.errors import InvalidInput, InvalidToken
from headwater.kernel.principal import Kind, Principal
from headwater.platform.identity.errors import (
    AccountReferredTo,
    EmailExists,
    InvalidCredentials,
    NoSession,
    SessionNotFound,
    UserBanned,
    UserNotFound,
    WeakPassword,
)
from headwater.platform.identity.events import EmailChanged, UserBannedUntil
from headwater.platform.identity.models import Ban, SignedIn, User, UserChange, UserId, UserIds, UserSession
from tests.kernel.waiting import until
from tests.platform.identity.conftest import Process, Start, user_of

ADMIN = Principal(kind=Kind.ADMIN, role="project_admin", key="key:1")


async def ban(process: Process, user_id: UUID, **more: object) -> User:
    body = Ban(user_id=user_id, **more)  # pyright: ignore[reportArgumentType] - a table of fields
    return await process.accounts.ban_user(process.transactions, ADMIN, body)


async def change(process: Process, user_id: UUID, **more: object) -> User:
    body = UserChange(user_id=user_id, **more)  # pyright: ignore[reportArgumentType] - a table of fields
    return await process.accounts.update_user(process.transactions, ADMIN, body)


async def test_what_is_told_is_changed_and_the_rest_stays(process: Process) -> None:
    before = user_of(await process.sign_up(name="Ann"))
    changed = await change(process, before.id, email=" B@Example.com", profile={"nick": "A"}, metadata={"plan": 1})
    assert (changed.email, changed.email_verified) == ("b@example.com", False)
    assert (changed.profile, changed.metadata) == ({"name": "Ann", "nick": "A"}, {"plan": 1})
    assert (await change(process, before.id, email_verified=True)).email_verified
    assert await change(process, before.id) == await change(process, before.id)
    assert EmailChanged(user_id=before.id, email="b@example.com") in process.effects.events
    await process.sign_in("b@example.com")


async def test_a_password_the_admin_sets_ends_the_sessions(process: Process) -> None:
    signed_in = await process.sign_up()
    user_id = user_of(signed_in).id
    with pytest.raises(WeakPassword):
        await change(process, user_id, password="short")
    process.whoami(signed_in)
    await change(process, user_id, password="another one")
    with pytest.raises(InvalidToken):
        process.whoami(signed_in)
    await process.sign_in(password="another one")


async def test_a_change_that_cannot_be_leaves_everything(process: Process) -> None:
    user = user_of(await process.sign_up())
    await process.sign_up("b@example.com")
    with pytest.raises(EmailExists):
        await change(process, user.id, email="B@example.com", password="another one")
    with pytest.raises(InvalidInput):
        await change(process, user.id, email="nowhere")
    with pytest.raises(UserNotFound):
        await change(process, uuid4(), email="c@example.com")
    await process.sign_in()


async def test_a_banned_user_is_out_everywhere_at_once(start: Start, clock: DrivenClock) -> None:
    one, other = await start(), await start()
    signed_in = await one.sign_up()
    user_id = user_of(signed_in).id
    other.whoami(signed_in)
    banned = await ban(one, user_id, until=clock.now() + timedelta(hours=1), reason="spam")
    assert banned.banned_until == "2030-01-01T01:00:00.000Z"
    with pytest.raises(InvalidToken):
        one.whoami(signed_in)
    await until(lambda: other.identity.bans.holds(str(user_id)), 2)
    with pytest.raises(InvalidToken):
        other.whoami(signed_in)
    late = await start()
    assert late.identity.bans.holds(str(user_id))
    with pytest.raises(NoSession):
        await other.refresh(signed_in.grant.refresh_token)
    with pytest.raises(UserBanned):
        await other.sign_in()
    with pytest.raises(InvalidCredentials):  # who does not know the password is not told of the ban
        await other.sign_in(password="wrong")
    assert UserBannedUntil(user_id=user_id, until="2030-01-01T01:00:00+00:00") in one.effects.events
    clock.advance(3600)
    other.whoami(await other.sign_in())


async def test_a_ban_without_an_end_is_lifted(start: Start) -> None:
    one, other = await start(), await start()
    user_id = user_of(await one.sign_up()).id
    assert (await ban(one, user_id)).banned_until == "9999-12-31T00:00:00.000Z"
    await until(lambda: other.identity.bans.holds(str(user_id)), 2)
    with pytest.raises(UserBanned):
        await other.sign_in()
    lifted = await one.accounts.lift_ban(one.transactions, ADMIN, UserId(user_id=user_id))
    assert lifted.banned_until is msgspec.UNSET
    await until(lambda: not other.identity.bans.holds(str(user_id)), 2)
    other.whoami(await other.sign_in())


async def test_a_ban_from_psql_counts_as_well(process: Process, database: Database, clock: DrivenClock) -> None:
    """Also for tokens that belong to no session of ours."""
    user_id = user_of(await process.sign_up()).id
    token = process.identity.tokens.sign({"sub": str(user_id), "role": "authenticated"}, 60)
    process.identity.recognise(f"Bearer {token}")
    moment = clock.now() + timedelta(days=1)
    await database.writing(lambda tx: tx.execute("update auth.users set banned_until = $1", moment))
    await until(lambda: process.identity.bans.holds(str(user_id)), 2)
    with pytest.raises(InvalidToken):
        process.identity.recognise(f"Bearer {token}")


async def test_a_ban_that_cannot_be_is_none(process: Process) -> None:
    signed_in = await process.sign_up()
    with pytest.raises(InvalidInput, match="until"):
        await ban(process, user_of(signed_in).id, until=datetime(2000, 1, 1, tzinfo=UTC))
    with pytest.raises(UserNotFound):
        await ban(process, uuid4())
    process.whoami(signed_in)


async def test_the_admin_ends_sessions_of_one_user_only(process: Process, database: Database) -> None:
    mine: list[SignedIn] = [await process.sign_up(), *[await process.sign_in() for _ in range(2)]]
    other = await process.sign_up("b@example.com")
    user_id = user_of(mine[0]).id
    told = await database.reading(lambda tx: process.sessions.list_sessions_of(tx, ADMIN, UserId(user_id=user_id)))
    assert {session.id for session in told.sessions} == {each.grant.session_id for each in mine}
    assert not any(session.current for session in told.sessions)
    first = UserSession(user_id=user_id, id=mine[0].grant.session_id)
    await process.sessions.end_session_of(process.transactions, ADMIN, first)
    for unknown in (first, UserSession(user_id=user_id, id=other.grant.session_id)):
        with pytest.raises(SessionNotFound):
            await process.sessions.end_session_of(process.transactions, ADMIN, unknown)
    process.whoami(mine[1])
    ended = await process.sessions.end_sessions_of(process.transactions, ADMIN, UserId(user_id=user_id))
    assert ended.ended_count == 2
    for signed_in in mine:
        with pytest.raises(InvalidToken):
            process.whoami(signed_in)
    process.whoami(other)
    with pytest.raises(UserNotFound):
        await process.sessions.end_sessions_of(process.transactions, ADMIN, UserId(user_id=uuid4()))


async def test_rows_that_must_not_go_keep_the_account(process: Process, database: Database) -> None:
    signed_in = await process.sign_up()
    user_id = user_of(signed_in).id
    await database.writing(
        lambda tx: tx.execute("create table public.orders (id int, buyer uuid references auth.users (id))")
    )
    await database.writing(lambda tx: tx.execute("insert into public.orders values (1, $1)", user_id))
    with pytest.raises(AccountReferredTo, match=r"public\.orders"):
        await process.accounts.remove_users(process.transactions, ADMIN, UserIds(user_ids=[user_id]))
    process.whoami(signed_in)
    await database.writing(lambda tx: tx.execute("delete from public.orders"))
    await process.accounts.remove_user(process.transactions, ADMIN, UserId(user_id=user_id))
    with pytest.raises(UserNotFound):
        await process.accounts.remove_user(process.transactions, ADMIN, UserId(user_id=user_id))
