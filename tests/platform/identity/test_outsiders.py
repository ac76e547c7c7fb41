"""Users of other issuers: one account each, never somebody else's."""

import asyncio
from uuid import UUID

import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Database
from headwater.kernel.errors import InvalidToken
from headwater.kernel.principal import Kind, Principal
from headwater.platform.identity.errors import OutsiderNotAdmitted
from headwater.platform.identity.events import UserCreated
from headwater.platform.identity.models import AccountRemoval, Ban, UserId, UserIds
from tests.kernel.tokens.theirs import NAME, Theirs, described
from tests.kernel.waiting import until
from tests.platform.identity.conftest import Process, Start, user_of

ADMIN = Principal(kind=Kind.ADMIN, role="project_admin", key="key:1")
COUNT = "select count(*) from auth.users"


@pytest.fixture
def theirs(clock: DrivenClock) -> Theirs:
    return Theirs(clock)


@pytest.fixture
async def process(start: Start, theirs: Theirs) -> Process:
    return await start(issuers=described(), key_source=theirs)


async def show(process: Process, token: str) -> Principal:
    return await process.identity.authenticate({"authorization": f"Bearer {token}"})


async def count(database: Database) -> int:
    return await database.reading(lambda tx: tx.value(COUNT))


async def test_at_first_sight_he_has_an_account_and_keeps_it(
    process: Process, theirs: Theirs, database: Database
) -> None:
    principal = await show(process, theirs.token(name="Ann", org_id="org_1"))
    assert (principal.kind, principal.role) == (Kind.USER, "authenticated")
    assert UUID(principal.id or "") and principal.session_id is None
    assert principal.claims["external_sub"] == "user_2abc"
    assert (principal.claims["org_id"], principal.claims["iss"]) == ("org_1", NAME)
    again = await show(process, theirs.token(jti="another"))
    assert again.id == principal.id
    other = await show(process, theirs.token(sub="user_2xyz"))
    assert other.id != principal.id
    assert await count(database) == 2
    user = await database.reading(
        lambda tx: process.accounts.find_user(tx, ADMIN, UserId(user_id=UUID(principal.id or "")))
    )
    assert (user.email, user.providers, user.profile) == (None, (NAME,), {"name": "Ann"})
    events = await database.reading(lambda tx: tx.value("select count(*) from auth.user_providers"))
    assert events == 2


async def test_a_known_token_costs_nothing(process: Process, theirs: Theirs, monkeypatch: pytest.MonkeyPatch) -> None:
    token = theirs.token()
    first = await show(process, token)
    monkeypatch.setattr(process.identity.outsiders, "admit", None)
    assert await show(process, token) is first


async def test_policies_see_our_id_and_our_role_only(process: Process, theirs: Theirs, database: Database) -> None:
    claims = {
        "role": "project_admin",
        "sid": "session_1",
        "email": "root@example.com",
        "aal": "aal2",
        "is_anonymous": 1,
    }
    principal = await show(process, theirs.token(**claims))  # pyright: ignore[reportArgumentType] - a table of claims
    assert (principal.role, principal.kind, principal.session_id) == ("authenticated", Kind.USER, None)
    assert "email" not in principal.claims and principal.claims["aal"] == "aal1"
    assert principal.claims["is_anonymous"] is False
    seen = await database.reading(lambda tx: tx.value("select auth.uid()::text"), principal)
    assert seen == principal.id


async def test_an_account_made_before_is_no_trap(process: Process, theirs: Theirs, database: Database) -> None:
    """The advisory: who signs up here with somebody's address waits for him to come through his issuer."""
    trap = await process.sign_up("victim@example.com")
    for verified in (True, False):
        token = theirs.token(email="victim@example.com", email_verified=verified)
        principal = await show(process, token)
        assert principal.id != str(user_of(trap).id)
        assert principal.email is None
    assert await count(database) == 2


async def test_an_address_leads_to_an_account_only_where_both_have_proven_it(
    start: Start, theirs: Theirs, database: Database
) -> None:
    process = await start(issuers=described(linkVerifiedEmail=True), key_source=theirs)
    mine, trap = await process.sign_up("mine@example.com"), await process.sign_up("trap@example.com")
    await database.writing(
        lambda tx: tx.execute("update auth.users set email_verified = true where email = 'mine@example.com'")
    )
    unproven = await show(process, theirs.token(sub="1", email="mine@example.com"))
    trapped = await show(process, theirs.token(sub="2", email="trap@example.com", email_verified=True))
    linked = await show(process, theirs.token(sub="3", email="Mine@example.com", email_verified=True))
    assert unproven.id != str(user_of(mine).id)
    assert trapped.id != str(user_of(trap).id)
    assert linked.id == str(user_of(mine).id)
    assert user_of(await process.sign_in("mine@example.com")).providers == ("email", NAME)


async def test_a_proven_address_is_kept_and_another_is_not(process: Process, theirs: Theirs) -> None:
    proven = await show(process, theirs.token(sub="1", email=" New@example.com", email_verified=True))
    assert proven.email == "new@example.com"
    claimed = await show(process, theirs.token(sub="2", email="other@example.com"))
    assert claimed.email is None
    await process.sign_up("other@example.com")  # it was not taken from who will prove it
    broken = await show(process, theirs.token(sub="3", email="no address", email_verified=True))
    assert broken.email is None


async def test_first_requests_at_once_make_one_user(start: Start, theirs: Theirs, database: Database) -> None:
    processes = [await start(issuers=described(), key_source=theirs) for _ in range(2)]
    tokens = [theirs.token(jti=str(number), email="a@example.com", email_verified=True) for number in range(6)]
    principals = await asyncio.gather(*(show(process, token) for process in processes for token in tokens))
    assert len({principal.id for principal in principals}) == 1
    assert {principal.email for principal in principals} == {"a@example.com"}
    assert await count(database) == 1
    told = await database.reading(
        lambda tx: tx.value("select count(*) from auth.user_providers where provider_account_id = 'user_2abc'")
    )
    assert told == 1


async def test_where_sign_up_is_disabled_the_known_still_come(start: Start, theirs: Theirs, database: Database) -> None:
    known = await show(await start(issuers=described(), key_source=theirs), theirs.token())
    process = await start(issuers=described(), key_source=theirs, disable_signup=True)
    assert (await show(process, theirs.token(jti="2"))).id == known.id
    with pytest.raises(OutsiderNotAdmitted):
        await show(process, theirs.token(sub="user_new"))
    assert await count(database) == 1


async def test_a_banned_outsider_is_out_on_every_node(start: Start, theirs: Theirs) -> None:
    one, other = [await start(issuers=described(), key_source=theirs) for _ in range(2)]
    token = theirs.token()
    user_id = UUID((await show(one, token)).id or "")
    await show(other, token)
    await one.accounts.ban_user(one.transactions, ADMIN, Ban(user_id=user_id))
    await until(lambda: other.identity.bans.holds(str(user_id)), 2)
    for process in (one, other):
        for shown in (token, theirs.token(jti="fresh")):
            with pytest.raises(InvalidToken):
                await show(process, shown)


async def test_a_removed_outsider_is_not_remembered(start: Start, theirs: Theirs) -> None:
    one, other = [await start(issuers=described(), key_source=theirs) for _ in range(2)]
    token = theirs.token()
    first = await show(one, token)
    await show(other, token)
    await one.accounts.remove_users(one.transactions, ADMIN, UserIds(user_ids=[UUID(first.id or "")]))
    again = await show(one, token)
    assert again.id != first.id
    await until(lambda: other.identity.tokens.users_forgotten == 1, 2)
    assert (await show(other, token)).id == again.id


async def test_he_removes_his_account_while_his_issuer_has_just_seen_him(process: Process, theirs: Theirs) -> None:
    principal = await show(process, theirs.token())
    await process.own_account.remove_account(process.transactions, principal, AccountRemoval())
    assert (await show(process, theirs.token(jti="2"))).id != principal.id


async def test_tokens_of_nobody_are_refused_as_ever(process: Process, theirs: Theirs, database: Database) -> None:
    for token in (
        theirs.token(iss="https://evil.example"),
        theirs.token(aud="another"),
        theirs.token(exp=1),
        theirs.token()[:-6] + "AAAAAA",
        "not.a.token",
    ):
        with pytest.raises(InvalidToken):
            await show(process, token)
    assert await count(database) == 0


async def test_the_first_sight_is_told(process: Process, theirs: Theirs, database: Database) -> None:
    told: list[object] = []

    class Recorder:
        async def record(self, tx: object) -> None:
            told.extend(tx.effects.events)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]

    database.add_recorder(Recorder())  # pyright: ignore[reportArgumentType]
    principal = await show(process, theirs.token())
    assert told == [UserCreated(user_id=UUID(principal.id or ""), email=None)]
