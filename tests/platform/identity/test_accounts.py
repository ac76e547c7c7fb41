"""Accounts: made, shown, changed, removed."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from headwater.kernel.database import Database, Transactions
from headwater.kernel.errors import InvalidInput, InvalidToken
from headwater.kernel.principal import NOBODY, Kind, Principal
from headwater.platform.identity import rules
from headwater.platform.identity.errors import (
    EmailExists,
    InvalidCredentials,
    ProfileTooLarge,
    SignupDisabled,
    UserNotFound,
    WeakPassword,
    WrongPassword,
)
from headwater.platform.identity.events import ProfileChanged, UserCreated, UserRemoved
from headwater.platform.identity.models import (
    AnonymousSignIn,
    PasswordChange,
    ProfileChange,
    Upgrade,
    UserChange,
    UserId,
    UserIds,
    UserPage,
)
from tests.platform.identity.conftest import Process, Start, user_of

ADMIN = Principal(kind=Kind.ADMIN, role="project_admin", key="key:1")


async def test_a_new_user_is_signed_in_and_told(process: Process) -> None:
    signed_in = await process.sign_up(" A@Example.COM ", name="Ann")
    user = user_of(signed_in)
    assert (user.email, user.email_verified, user.profile, user.metadata) == (
        "a@example.com",
        False,
        {"name": "Ann"},
        {},
    )
    assert user.providers == ("email",)
    assert user.created_at == "2030-01-01T00:00:00.000Z"
    assert process.effects.events == [UserCreated(user_id=user.id, email="a@example.com")]
    principal = process.whoami(signed_in)
    assert (principal.kind, principal.id, principal.email) == (Kind.USER, str(user.id), "a@example.com")
    assert principal.claims["aal"] == "aal1"
    assert principal.session_id == str(signed_in.grant.session_id)


async def test_an_address_has_one_account(process: Process) -> None:
    addresses = ("a@example.com", "A@EXAMPLE.com", "a@example.com")
    taken = await asyncio.gather(*map(process.sign_up, addresses), return_exceptions=True)
    assert sorted(type(result).__name__ for result in taken) == ["EmailExists", "EmailExists", "SignedIn"]
    with pytest.raises(EmailExists):
        await process.sign_up(" a@Example.com")


@pytest.mark.parametrize(
    "email", ["", "a", "a@", "@b.cd", "a b@c.de", "a@b", "a@b..de", "a@b.c\x00d", "a" * 300 + "@b.cd"]
)
async def test_what_is_no_address_is_refused(process: Process, email: str) -> None:
    with pytest.raises(InvalidInput, match="email"):
        await process.sign_up(email)


async def test_a_short_password_is_refused(start: Start) -> None:
    process = await start(password_min_length=9)
    with pytest.raises(WeakPassword, match="Password must contain at least 9 characters long"):
        await process.sign_up(password="8letters")
    await process.sign_up(password="9 letters")


async def test_where_sign_up_is_disabled_the_admin_still_makes_accounts(start: Start) -> None:
    process = await start(disable_signup=True)
    with pytest.raises(SignupDisabled):
        await process.sign_up(auto_confirm=True)
    signed_in = await process.sign_up(principal=ADMIN, auto_confirm=True)
    assert user_of(signed_in).email_verified
    assert signed_in.grant.refresh_token is None


async def test_only_the_admin_confirms(process: Process) -> None:
    assert not user_of(await process.sign_up(auto_confirm=True)).email_verified


async def test_a_profile_is_laid_over_and_public(process: Process) -> None:
    principal = process.whoami(await process.sign_up(name="Ann"))
    change = ProfileChange(profile={"nick": "A'nn", "name": None, "deep": {"er": [1]}})
    profile, effects = await process.database.writing(lambda tx: process.accounts.update_profile(tx, principal, change))
    expected = {"nick": "A'nn", "name": None, "deep": {"er": [1]}}
    assert profile.profile == expected
    assert effects.events == [ProfileChanged(user_id=profile.id)]
    seen = await process.accounts.find_profile(process.transactions, ADMIN, UserId(user_id=profile.id))
    assert seen.profile == expected
    with pytest.raises(UserNotFound):
        await process.accounts.find_profile(process.transactions, ADMIN, UserId(user_id=uuid4()))


async def test_a_profile_does_not_grow_without_end(process: Process) -> None:
    principal = process.whoami(await process.sign_up(name="Ann"))

    async def lay(**fields: object) -> object:
        change = ProfileChange(profile=fields)
        return await process.database.writing(lambda tx: process.accounts.update_profile(tx, principal, change))

    half = "é" * (rules.LARGEST_PROFILE // 4)
    await lay(first=half)
    with pytest.raises(ProfileTooLarge):
        await lay(second=half)
    await lay(first="", second=half)


async def test_whatever_changes_a_profile_forgets_what_was_remembered_of_it(start: Start) -> None:
    process = await start(allow_anonymous=True)
    signed_in = await process.anonymous.sign_in_anonymously(
        process.transactions, NOBODY, AnonymousSignIn(client_type="mobile", address="192.0.2.1")
    )
    principal, user_id = process.whoami(signed_in), user_of(signed_in).id
    assert await process.accounts.find_profile(process.transactions, ADMIN, UserId(user_id=user_id))
    own, by_admin = ProfileChange(profile={"nick": "a"}), UserChange(user_id=user_id, profile={"nick": "b"})
    _, effects = await process.database.writing(lambda tx: process.accounts.update_profile(tx, principal, own))
    assert effects.forgets == [f"profiles:{user_id}"]
    upgrade = Upgrade(email="b@example.com", password="secret", name="Bee", client_type="mobile", address="192.0.2.1")
    changes: list[Callable[[Transactions], Awaitable[object]]] = [
        lambda told: process.accounts.update_user(told, ADMIN, by_admin),
        lambda told: process.anonymous.upgrade(told, principal, upgrade),
        lambda told: process.accounts.remove_user(told, ADMIN, UserId(user_id=user_id)),
    ]
    for change in changes:
        fresh = Transactions(process.database)
        await change(fresh)
        assert fresh.effects.forgets == [f"profiles:{user_id}"]


async def test_users_are_listed_newest_first_and_found(process: Process) -> None:
    for number in range(3):
        await process.sign_up(f"user{number}@example.com", name=f"Name {number}%")

    async def emails(**page: object) -> tuple[list[str], int]:
        users = await process.database.reading(
            lambda tx: process.accounts.list_users(tx, ADMIN, UserPage(**page))  # pyright: ignore[reportArgumentType]
        )
        return sorted(str(user.email) for user in users.users), users.pagination.total

    assert await emails(limit=2) == ((await emails(limit=2))[0], 3)
    assert len((await emails(limit=2, offset=2))[0]) == 1
    assert await emails(search="USER1") == (["user1@example.com"], 1)
    assert await emails(search="name 2%") == (["user2@example.com"], 1)
    assert await emails(search="%1") == ([], 0)


async def test_a_removed_user_is_out_at_once(process: Process) -> None:
    signed_in, other = await process.sign_up(), await process.sign_up("b@example.com")
    user_id = user_of(signed_in).id
    removed = await process.accounts.remove_users(
        process.transactions, ADMIN, UserIds(user_ids=[user_id, user_id, uuid4()])
    )
    assert removed.deleted_count == 1
    assert UserRemoved(user_id=user_id) in process.effects.events
    with pytest.raises(InvalidToken):
        process.whoami(signed_in)
    process.whoami(other)
    with pytest.raises(InvalidCredentials):
        await process.sign_in()


async def test_a_new_password_ends_the_other_sessions(process: Process) -> None:
    await process.sign_up()
    here, there = await process.sign_in(), await process.sign_in()
    change = PasswordChange(current_password="secret", new_password="secret 2", address="192.0.2.1")
    await process.own_account.change_password(process.transactions, process.whoami(here), change)
    process.whoami(here)
    await process.refresh(here.grant.refresh_token)
    with pytest.raises(InvalidToken):
        process.whoami(there)
    with pytest.raises(InvalidCredentials):
        await process.sign_in()
    await process.sign_in(password="secret 2")


async def test_who_changes_a_password_knows_it(process: Process) -> None:
    principal = process.whoami(await process.sign_up())
    change = PasswordChange(current_password="wrong", new_password="secret 2")
    with pytest.raises(WrongPassword):
        await process.own_account.change_password(process.transactions, principal, change)
    await process.sign_in()


async def test_our_hashes_are_nobodys_to_read(process: Process, database: Database) -> None:
    await process.sign_up()
    for role in ("anon", "authenticated", "project_admin"):
        for table in ("passwords", "sessions", "refresh_tokens", "api_keys", "failed_logins", "ended_sessions"):
            assert not await database.reading(
                lambda tx, role=role, table=table: tx.value(
                    "select has_table_privilege($1, 'auth.' || $2, 'select')", role, table
                )
            )
    rows = await database.reading(lambda tx: tx.rows("select * from auth.users"), ADMIN)
    assert [row["password"] for row in rows] == [None]


async def test_an_imported_hash_counts_once_and_moves(process: Process, database: Database) -> None:
    user_id = user_of(await process.sign_up()).id
    imported = await process.identity.passwords.hash("imported")
    await database.writing(
        lambda tx: tx.execute("update auth.users set password = $1 where id = $2", imported, user_id), ADMIN
    )
    with pytest.raises(InvalidCredentials):
        await process.sign_in()
    await process.sign_in(password="imported")
    assert await database.reading(lambda tx: tx.value("select password from auth.users")) is None
    await process.sign_in(password="imported")


def test_uuids_of_other_issuers_are_none() -> None:
    assert rules.uuid_of("user_2abc") is None
    assert rules.uuid_of(None) is None
