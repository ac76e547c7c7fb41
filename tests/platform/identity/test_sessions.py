"""Sessions: continued, ended, and their tokens stolen."""

import asyncio
from base64 import urlsafe_b64decode
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Database
from headwater.kernel.errors import InvalidToken
from headwater.kernel.principal import NOBODY, Kind
from headwater.platform.identity.errors import (
    InvalidAdminCredentials,
    InvalidCode,
    InvalidCredentials,
    InvalidCsrfToken,
    NoRefreshToken,
    NoSession,
    OriginNotAllowed,
    SessionNotFound,
    WeakSecret,
)
from headwater.platform.identity.models import AdminLogin, Presented, SessionId, SignedIn
from headwater.platform.identity.sessions import dated_token, undated_token
from tests.kernel.waiting import until
from tests.platform.identity.conftest import Process, Start


def by_cookie(signed_in: SignedIn, **changes: Any) -> Presented:
    shown: dict[str, Any] = {
        "client_type": "web",
        "cookie": signed_in.grant.refresh_token,
        "csrf": signed_in.grant.csrf_token,
    }
    return Presented(**{**shown, **changes})


async def test_the_right_password_opens(process: Process) -> None:
    await process.sign_up()
    signed_in = await process.sign_in(" A@example.com")
    assert process.whoami(signed_in).email == "a@example.com"
    with pytest.raises(InvalidCredentials):
        await process.sign_in(password="Secret")
    with pytest.raises(InvalidCredentials):
        await process.sign_in("nobody@example.com")
    with pytest.raises(InvalidCode):
        await process.sign_in(method="otp", otp="123456")


async def test_each_refresh_gives_another_token(process: Process, clock: DrivenClock) -> None:
    first = await process.sign_up()
    tokens = [first.grant.refresh_token]
    for _ in range(3):
        clock.advance(600)
        continued = await process.refresh(tokens[-1])
        assert continued.grant.session_id == first.grant.session_id
        assert process.whoami(continued).id == process.whoami(await process.sign_in()).id
        tokens.append(continued.grant.refresh_token)
    assert len(set(tokens)) == 4


async def test_no_token_is_stored(process: Process, database: Database) -> None:
    token = (await process.sign_up()).grant.refresh_token
    assert token is not None
    second = (await process.refresh(token)).grant.refresh_token
    assert second is not None
    dumped = await database.reading(
        lambda tx: tx.value("select string_agg(s::text || t::text, '') from auth.sessions s, auth.refresh_tokens t")
    )
    for kept in map(undated_token, (token, second)):
        assert len(kept.removeprefix("rt_")) == 64
        assert kept.removeprefix("rt_") not in dumped


async def test_a_token_tells_when_it_expires_and_nobody_here_believes_it(process: Process, clock: DrivenClock) -> None:
    """`@insforge/sdk/ssr` keeps its cookie for as long as it reads there."""
    token = (await process.sign_up()).grant.refresh_token
    assert token is not None
    secret, _, payload = token.partition(".")
    told = msgspec.json.decode(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert told == {"exp": int(clock.timestamp()) + 604_800}
    forged = dated_token(secret, clock.now() + timedelta(days=365))
    assert (await process.refresh(forged)).grant.refresh_token != forged
    clock.advance(604_801)
    with pytest.raises(NoSession):
        await process.refresh(dated_token(secret, clock.now() + timedelta(days=365)))


async def test_a_lost_answer_is_given_again(process: Process, clock: DrivenClock) -> None:
    lost = (await process.sign_up()).grant.refresh_token
    answered = await process.refresh(lost)
    clock.advance(10)
    again = await process.refresh(lost)
    assert again.grant.refresh_token == answered.grant.refresh_token
    clock.advance(60)
    await process.refresh(again.grant.refresh_token)


async def test_many_who_ask_at_once_get_the_same_answer(process: Process) -> None:
    token = (await process.sign_up()).grant.refresh_token
    answers = await asyncio.gather(*(process.refresh(token) for _ in range(8)))
    assert len({answer.grant.refresh_token for answer in answers}) == 1


async def test_a_straggler_within_the_window_gets_the_newest_token(process: Process, clock: DrivenClock) -> None:
    first = (await process.sign_up()).grant.refresh_token
    second = (await process.refresh(first)).grant.refresh_token
    clock.advance(3)
    third = (await process.refresh(second)).grant.refresh_token
    assert (await process.refresh(first)).grant.refresh_token == third


async def test_a_reused_token_ends_its_session_for_everyone(
    process: Process, clock: DrivenClock, database: Database
) -> None:
    stolen = await process.sign_up()
    other = await process.sign_in()
    mine = await process.refresh(stolen.grant.refresh_token)
    clock.advance(10.5)
    with pytest.raises(NoSession) as refused:
        await process.refresh(stolen.grant.refresh_token)
    assert "Set-Cookie" not in refused.value.headers
    with pytest.raises(NoSession):
        await process.refresh(mine.grant.refresh_token)
    for ended in (stolen, mine):
        with pytest.raises(InvalidToken):
            process.whoami(ended)
    process.whoami(other)
    actions = await database.reading(lambda tx: tx.rows("select action from system.audit_logs"))
    assert [row["action"] for row in actions] == ["REFRESH_TOKEN_REUSED"]


async def test_an_unused_session_expires(process: Process, clock: DrivenClock) -> None:
    signed_in = await process.sign_up()
    clock.advance(604_799)
    token = (await process.refresh(signed_in.grant.refresh_token)).grant.refresh_token
    clock.advance(604_800)
    with pytest.raises(NoSession):
        await process.refresh(token)


async def test_a_token_in_the_body_is_needed_where_no_browser_asks(process: Process) -> None:
    for token in (None, ""):
        with pytest.raises(NoRefreshToken):
            await process.refresh(token)
    for token in ("x", "rt_" + "0" * 64, "\x00"):
        with pytest.raises(NoSession):
            await process.refresh(token)


async def test_either_spelling_of_the_token_will_do(process: Process) -> None:
    token = (await process.sign_up()).grant.refresh_token
    body = Presented(token_too=token)
    continued = await process.identity.refresh(process.transactions, NOBODY, body)
    assert continued.grant.client_type == "mobile"


async def test_a_cookie_needs_its_csrf_token(process: Process) -> None:
    signed_in, other = await process.sign_up(client_type="web"), await process.sign_up("b@example.com")
    for wrong in (None, "", "é", other.grant.csrf_token):
        with pytest.raises(InvalidCsrfToken):
            await process.identity.refresh(process.transactions, NOBODY, by_cookie(signed_in, csrf=wrong))
        with pytest.raises(InvalidCsrfToken):
            await process.identity.sign_out(process.transactions, NOBODY, by_cookie(signed_in, csrf=wrong))
    continued = await process.identity.refresh(process.transactions, NOBODY, by_cookie(signed_in))
    assert continued.grant.client_type == "web"
    assert continued.grant.csrf_token == signed_in.grant.csrf_token


async def test_a_bad_cookie_is_taken_back(process: Process) -> None:
    with pytest.raises(NoSession) as refused:
        await process.identity.refresh(process.transactions, NOBODY, Presented(cookie="rt_unknown", csrf="x"))
    assert refused.value.headers["Set-Cookie"].startswith("insforge_refresh_token=; Path=/api/auth; HttpOnly; Secure")


async def test_a_cookie_comes_from_pages_we_know(start: Start) -> None:
    process = await start(allowed_origins=("https://app.example",))
    signed_in = await process.sign_up(client_type="web")
    for origin in ("https://evil.example", "null", "http://app.example", "https://[", "https://api.example.evil.com"):
        with pytest.raises(OriginNotAllowed):
            await process.identity.refresh(
                process.transactions, NOBODY, by_cookie(signed_in, origin=origin, host="api.example")
            )
    for origin in (None, "https://app.example", "https://api.example", "http://localhost:5173", "http://127.0.0.1"):
        await process.identity.refresh(
            process.transactions, NOBODY, by_cookie(signed_in, origin=origin, host="api.example")
        )


async def test_signing_out_ends_the_session_however_it_is_shown(process: Process) -> None:
    await process.sign_up()
    by_body, by_token, in_browser = [await process.sign_in() for _ in range(3)]
    for signed_in, principal, body in (
        (by_body, NOBODY, Presented(client_type="mobile", token=by_body.grant.refresh_token)),
        (by_token, process.whoami(by_token), Presented(client_type="mobile")),
        (in_browser, NOBODY, by_cookie(in_browser)),
    ):
        process.whoami(signed_in)
        await process.identity.sign_out(process.transactions, principal, body)
        with pytest.raises(InvalidToken):
            process.whoami(signed_in)
        with pytest.raises(NoSession):
            await process.refresh(signed_in.grant.refresh_token)
    await process.identity.sign_out(process.transactions, NOBODY, Presented())


async def test_sessions_are_listed_and_revoked_by_their_user_only(process: Process) -> None:
    here, there = await process.sign_up(agent="phone"), await process.sign_in()
    stranger = await process.sign_up("b@example.com")
    me = process.whoami(here)
    listed = await process.database.reading(lambda tx: process.sessions.list_sessions(tx, me, None))
    assert {(session.id, session.current) for session in listed.sessions} == {
        (here.grant.session_id, True),
        (there.grant.session_id, False),
    }
    for foreign in (stranger.grant.session_id, process.whoami(stranger).id):
        with pytest.raises(SessionNotFound):
            await process.sessions.end_session(process.transactions, me, SessionId(id=foreign))  # pyright: ignore[reportArgumentType]
    process.whoami(stranger)
    await process.sessions.end_session(process.transactions, me, SessionId(id=there.grant.session_id))
    with pytest.raises(InvalidToken):
        process.whoami(there)


async def test_what_is_over_is_forgotten(process: Process, clock: DrivenClock, database: Database) -> None:
    signed_in = await process.sign_up()
    await process.refresh(signed_in.grant.refresh_token)
    with pytest.raises(InvalidCredentials):
        await process.sign_in(password="wrong")
    clock.advance(604_801)
    await database.writing(process.identity.remove_expired)
    for table in ("sessions", "refresh_tokens", "ended_sessions", "failed_logins"):
        count = await database.reading(lambda tx, table=table: tx.value(f"select count(*) from auth.{table}"))
        assert count == 0


async def test_the_admin_signs_in_as_configured(process: Process) -> None:
    login = AdminLogin(username="root", password="correct horse", client_type="web")
    signed_in = await process.identity.sign_in_admin(process.transactions, NOBODY, login)
    principal = process.whoami(signed_in)
    assert (principal.kind, principal.id, principal.role) == (Kind.ADMIN, "local:root", "project_admin")
    continued = await process.identity.refresh_admin(process.transactions, NOBODY, by_cookie(signed_in))
    with pytest.raises(NoSession):  # a session of one kind is none of the other
        await process.identity.refresh(process.transactions, NOBODY, by_cookie(continued))
    await process.identity.sign_out_admin(process.transactions, principal, Presented())
    with pytest.raises(InvalidToken):
        process.whoami(continued)


@pytest.mark.parametrize(("username", "password"), [("root", "wrong"), ("toor", "correct horse"), ("", "")])
async def test_nobody_else_is_the_admin(process: Process, username: str, password: str) -> None:
    with pytest.raises(InvalidAdminCredentials):
        await process.identity.sign_in_admin(
            process.transactions, NOBODY, AdminLogin(username=username, password=password)
        )


async def test_without_configured_words_nobody_is_the_admin(start: Start) -> None:
    process = await start(admin_username=None, admin_password=None)
    with pytest.raises(InvalidAdminCredentials):
        await process.identity.sign_in_admin(process.transactions, NOBODY, AdminLogin(username="", password=""))


async def test_a_weak_admin_password_refuses_the_start(start: Start) -> None:
    with pytest.raises(WeakSecret):
        await start(admin_password="short")


async def test_a_session_that_ends_in_one_process_ends_in_all(start: Start, clock: DrivenClock) -> None:
    one, other = await start(), await start()
    signed_in = await one.sign_up()
    assert other.whoami(signed_in) == one.whoami(signed_in)
    body = Presented(client_type="mobile", token=signed_in.grant.refresh_token)
    await one.identity.sign_out(one.transactions, NOBODY, body)
    with pytest.raises(InvalidToken):
        one.whoami(signed_in)
    await until(lambda: other.identity.sessions.has_ended(str(signed_in.grant.session_id)), 2)
    with pytest.raises(InvalidToken):
        other.whoami(signed_in)
    late = await start()
    with pytest.raises(InvalidToken):
        late.whoami(signed_in)
    clock.advance(960)
    other.identity.sessions.note_ended([])
    assert not other.identity.sessions.has_ended(str(signed_in.grant.session_id))


async def test_a_user_deleted_from_psql_is_out_too(start: Start, database: Database) -> None:
    one, other = await start(), await start()
    signed_in = await one.sign_up()
    admin = one.identity.recognise(f"Bearer {(await database.reading(one.keys.read_keys)).admin_key}")
    await database.writing(lambda tx: tx.execute("delete from auth.users"), admin)
    for process in (one, other):
        await until(lambda process=process: process.identity.sessions.has_ended(str(signed_in.grant.session_id)), 2)
        with pytest.raises(InvalidToken):
            process.whoami(signed_in)


async def test_a_process_that_could_not_hear_reads_when_it_can_again(start: Start, database: Database) -> None:
    one, other = await start(), await start()
    signed_in = await one.sign_up()
    assert other.bus._connection is not None
    other.bus._connection.terminate()
    await until(lambda: not other.bus.connected, 5)
    body = Presented(client_type="mobile", token=signed_in.grant.refresh_token)
    await one.identity.sign_out(one.transactions, NOBODY, body)
    await until(lambda: other.identity.sessions.has_ended(str(signed_in.grant.session_id)), 10)
    with pytest.raises(InvalidToken):
        other.whoami(signed_in)
