"""One's own account: exported, removed, and the proof that it is one's own; another address."""

import asyncio
import re
from typing import Any

import msgspec
import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Database
from headwater.kernel.errors import InvalidToken, TooManyRequests
from headwater.kernel.jobs import JobRun
from headwater.kernel.mail import list_letters
from headwater.kernel.principal import NOBODY
from headwater.platform.identity.codes import Codes
from headwater.platform.identity.errors import (
    AccountReferredTo,
    EmailExists,
    InvalidCredentials,
    NoEmailChange,
    PasswordNeeded,
    WrongEmailCode,
    WrongPassword,
)
from headwater.platform.identity.events import EmailChanged, UserRemoved
from headwater.platform.identity.models import (
    AccountRemoval,
    AnonymousSignIn,
    EmailChangeCodes,
    EmailChangeRequest,
    EmailChangeState,
    EmailChangeToSend,
    SignedIn,
)
from headwater.platform.identity.operations import EmailChanges
from tests.platform.identity.conftest import VAULT, Process, Start, user_of


async def remove(process: Process, signed_in: SignedIn, password: str | None = None) -> None:
    body = AccountRemoval(password=password, address="192.0.2.1")
    await process.own_account.remove_account(process.transactions, process.whoami(signed_in), body)


async def test_everything_held_is_exported_and_nothing_that_opens(process: Process, database: Database) -> None:
    signed_in = await process.sign_up(name="Ann", agent="phone", address="192.0.2.7")
    with pytest.raises(InvalidCredentials):
        await process.sign_in(password="wrong")
    user_id = user_of(signed_in).id
    await database.writing(
        lambda tx: tx.execute(
            "insert into auth.user_providers (user_id, provider, provider_account_id) values ($1, 'x', 'theirs')",
            user_id,
        )
    )
    principal = process.whoami(signed_in)
    export = await database.reading(lambda tx: process.own_account.export_account(tx, principal, None))
    told = msgspec.json.decode(msgspec.json.encode(export))
    assert told["user"]["profile"] == {"name": "Ann"}
    assert [provider["providerAccountId"] for provider in told["providers"]] == ["theirs"]
    assert [(s["address"], s["userAgent"], s["current"]) for s in told["sessions"]] == [("192.0.2.7", "phone", True)]
    assert told["passwordChangedAt"] == told["exportedAt"] == "2030-01-01T00:00:00.000Z"
    assert told["failedSignIns"] == 1
    text = msgspec.json.encode(export).decode()
    assert "argon2" not in text and str(signed_in.grant.refresh_token) not in text


async def test_a_removed_account_is_gone_with_everything(process: Process, database: Database) -> None:
    signed_in, other = await process.sign_up(), await process.sign_up("b@example.com")
    with pytest.raises(InvalidCredentials):
        await process.sign_in(password="wrong")
    await remove(process, signed_in, "secret")
    assert UserRemoved(user_id=user_of(signed_in).id) in process.effects.events
    with pytest.raises(InvalidToken):
        process.whoami(signed_in)
    with pytest.raises(InvalidCredentials):
        await process.sign_in()
    process.whoami(other)
    for table in ("users", "passwords", "sessions", "refresh_tokens"):
        rest = await database.reading(lambda tx, table=table: tx.value(f"select count(*) from auth.{table}"))
        assert rest == 1, table
    assert user_of(await process.sign_up()).id != user_of(signed_in).id


async def test_an_old_session_needs_the_password_and_a_fresh_one_does_not(process: Process, clock: DrivenClock) -> None:
    signed_in = await process.sign_up()
    clock.advance(601)
    with pytest.raises(PasswordNeeded):
        await remove(process, signed_in)
    signed_in = await process.refresh(signed_in.grant.refresh_token)
    with pytest.raises(PasswordNeeded):  # to refresh is not to prove
        await remove(process, signed_in)
    with pytest.raises(WrongPassword):
        await remove(process, signed_in, "wrong")
    await remove(process, await process.sign_in())


async def test_guesses_at_the_password_count_as_at_the_door(start: Start, clock: DrivenClock) -> None:
    process = await start(failures_per_account=3)
    signed_in = await process.sign_up()
    for _ in range(3):
        with pytest.raises(WrongPassword):
            await remove(process, signed_in, "wrong")
    with pytest.raises(TooManyRequests):
        await remove(process, signed_in, "secret")
    with pytest.raises(TooManyRequests):
        await process.sign_in()


async def test_who_has_no_other_proof_needs_none(start: Start, clock: DrivenClock) -> None:
    process = await start(allow_anonymous=True)
    body = AnonymousSignIn(client_type="mobile", address="192.0.2.1")
    signed_in = await process.anonymous.sign_in_anonymously(process.transactions, NOBODY, body)
    clock.advance(700)
    await remove(process, signed_in)


async def test_rows_that_must_not_go_keep_the_account(process: Process, database: Database) -> None:
    signed_in = await process.sign_up()
    await database.writing(
        lambda tx: tx.execute("create table public.orders (id int, buyer uuid references auth.users (id))")
    )
    await database.writing(lambda tx: tx.execute("insert into public.orders values (1, $1)", user_of(signed_in).id))
    with pytest.raises(AccountReferredTo):
        await remove(process, signed_in)
    process.whoami(signed_in)


class Changing:
    """A change of address, as its user and whoever reads the letters have it."""

    def __init__(self, process: Process, signed_in: SignedIn) -> None:
        self.process = process
        self.signed_in = signed_in
        self.changes = process.parts.find(EmailChanges)

    async def ask(self, new_email: str, password: str | None = None) -> None:
        """Ask, and let the job write its letters."""
        body = EmailChangeRequest(new_email=new_email, password=password, address="192.0.2.1")
        transactions = self.process.transactions
        await self.changes.request_email_change(transactions, self.process.whoami(self.signed_in), body)
        arguments = EmailChangeToSend(user_id=user_of(self.signed_in).id)
        await self.changes.send_codes(transactions, JobRun(id="job", attempt=1, arguments=arguments))

    async def codes(self) -> dict[str, str]:
        """The newest code that each address received."""
        letters = await self.process.database.reading(lambda tx: list_letters(tx, VAULT))
        found: dict[str, str] = {}
        for letter in sorted(letters, key=lambda letter: letter.received_at):
            code = re.search(r"\b\d{6}\b", letter.text)
            assert code is not None
            found[letter.to[0]] = code[0]
        return found

    async def confirm(self, **codes: Any) -> EmailChangeState:
        """Show codes."""
        principal = self.process.whoami(self.signed_in)
        body = EmailChangeCodes(**codes)
        return await self.changes.confirm_email_change(self.process.transactions, principal, body)


async def test_both_addresses_confirm_a_change(process: Process) -> None:
    changing, elsewhere = Changing(process, await process.sign_up()), await process.sign_in()
    await changing.ask(" New@example.com")
    codes = await changing.codes()
    assert codes.keys() == {"a@example.com", "new@example.com"}
    state = await changing.confirm(new_code=codes["new@example.com"])
    assert (state.current_confirmed, state.new_confirmed, state.changed) == (False, True, False)
    await process.sign_in()
    state = await changing.confirm(current_code=codes["a@example.com"])
    assert state.changed
    user_id = user_of(changing.signed_in).id
    assert EmailChanged(user_id=user_id, email="new@example.com") in process.effects.events
    user = user_of(await process.sign_in("new@example.com"))
    assert (user.id, user.email_verified) == (user_id, True)
    with pytest.raises(InvalidCredentials):
        await process.sign_in()
    with pytest.raises(InvalidToken):
        process.whoami(elsewhere)
    process.whoami(changing.signed_in)
    with pytest.raises(NoEmailChange):
        await changing.confirm(current_code=codes["a@example.com"])


async def test_codes_do_not_change_places(process: Process) -> None:
    changing = Changing(process, await process.sign_up())
    await changing.ask("new@example.com")
    codes = await changing.codes()
    with pytest.raises(WrongEmailCode, match="currentCode"):
        await changing.confirm(current_code=codes["new@example.com"], new_code=codes["a@example.com"])
    assert (await changing.confirm(current_code=codes["a@example.com"], new_code=codes["new@example.com"])).changed


async def test_wrong_codes_are_counted_and_old_ones_are_none(process: Process, clock: DrivenClock) -> None:
    changing = Changing(process, await process.sign_up())
    await changing.ask("new@example.com")
    codes = await changing.codes()
    for _ in range(5):
        with pytest.raises(WrongEmailCode):
            await changing.confirm(new_code="000000" if codes["new@example.com"] != "000000" else "1")
    with pytest.raises(NoEmailChange):
        await changing.confirm(current_code=codes["a@example.com"], new_code=codes["new@example.com"])
    clock.advance(1)
    await changing.ask("newer@example.com")
    fresh = await changing.codes()
    clock.advance(900)
    with pytest.raises(NoEmailChange):
        await changing.confirm(current_code=fresh["a@example.com"], new_code=fresh["newer@example.com"])


async def test_an_address_that_is_somebodys_is_told_to_nobody(process: Process) -> None:
    await process.sign_up("b@example.com")
    changing = Changing(process, await process.sign_up())
    await changing.ask("b@example.com")
    codes = await changing.codes()
    assert codes.keys() == {"a@example.com"}
    state = await changing.confirm(current_code=codes["a@example.com"])
    assert not state.changed


async def test_an_address_taken_meanwhile_is_not_given_twice(process: Process, database: Database) -> None:
    changing = Changing(process, await process.sign_up())
    await changing.ask("b@example.com")
    codes = await changing.codes()
    await process.sign_up("b@example.com")
    with pytest.raises(NoEmailChange):
        await changing.confirm(current_code=codes["a@example.com"], new_code=codes["b@example.com"])
    await process.sign_in()
    assert await database.reading(lambda tx: tx.value("select count(*) from auth.email_changes")) == 0


async def two_who_want(process: Process, clock: DrivenClock) -> tuple[list[Changing], list[dict[str, str]]]:
    """Two users who have asked for the same address, and each one's codes, which somebody reads for both."""
    new_email = "new@example.com"
    both = [Changing(process, await process.sign_up(email)) for email in ("a@example.com", "b@example.com")]
    codes: list[dict[str, str]] = []
    for changing, email in zip(both, ("a@example.com", "b@example.com"), strict=True):
        await changing.ask(new_email)
        found = await changing.codes()
        codes.append({"current_code": found[email], "new_code": found[new_email]})
        clock.advance(1)
    return both, codes


async def test_of_two_who_want_an_address_the_first_has_it(process: Process, clock: DrivenClock) -> None:
    (first, second), (codes, others) = await two_who_want(process, clock)
    assert (await second.confirm(new_code=others["new_code"])).new_confirmed
    assert (await first.confirm(**codes)).changed
    with pytest.raises(NoEmailChange):
        await second.confirm(current_code=others["current_code"])
    assert user_of(await process.sign_in("new@example.com")).id == user_of(first.signed_in).id
    assert user_of(await process.sign_in("b@example.com")).id == user_of(second.signed_in).id
    await second.ask("new@example.com")
    assert (await second.codes())["new@example.com"] == others["new_code"], "a second letter went to somebody's address"


@pytest.mark.parametrize("turn", range(5))
async def test_two_who_take_an_address_at_once_do_not_both_have_it(
    process: Process, clock: DrivenClock, turn: int
) -> None:
    both, codes = await two_who_want(process, clock)
    pairs = list(zip(both, codes, strict=True))[:: 1 if turn % 2 else -1]
    ended = await asyncio.gather(*(each.confirm(**shown) for each, shown in pairs), return_exceptions=True)
    assert sorted(type(each).__name__ for each in ended) == ["EmailChangeState", "NoEmailChange"]
    winner = next(each for (each, _), told in zip(pairs, ended, strict=True) if isinstance(told, EmailChangeState))
    assert user_of(await process.sign_in("new@example.com")).id == user_of(winner.signed_in).id


async def test_a_sign_up_at_once_with_a_change_does_not_share_an_address(process: Process) -> None:
    changing = Changing(process, await process.sign_up())
    await changing.ask("new@example.com")
    codes = await changing.codes()
    shown = {"current_code": codes["a@example.com"], "new_code": codes["new@example.com"]}
    ended = await asyncio.gather(changing.confirm(**shown), process.sign_up("new@example.com"), return_exceptions=True)
    refused = [each for each in ended if isinstance(each, BaseException)]
    assert len(refused) == 1
    assert isinstance(refused[0], EmailExists | NoEmailChange)


async def test_what_was_sent_to_an_address_is_not_good_for_its_next_user(process: Process, database: Database) -> None:
    changing = Changing(process, await process.sign_up())
    kept = process.parts.find(Codes)
    fresh = await database.writing(lambda tx: kept.issue_token(tx, "a@example.com", "RESET_PASSWORD", None, 3600.0))
    await changing.ask("new@example.com")
    codes = await changing.codes()
    await changing.confirm(current_code=codes["a@example.com"], new_code=codes["new@example.com"])
    await process.sign_up("a@example.com")
    spent, _ = await database.writing(lambda tx: kept.spend_token(tx, "RESET_PASSWORD", fresh[0].token))
    assert spent is None


async def test_a_change_needs_the_password_and_is_limited(process: Process, clock: DrivenClock) -> None:
    changing = Changing(process, await process.sign_up())
    clock.advance(601)
    with pytest.raises(PasswordNeeded):
        await changing.ask("b@example.com")
    for number in range(5):
        await changing.ask(f"b{number}@example.com", "secret")
    with pytest.raises(TooManyRequests):
        await changing.ask("b@example.com", "secret")


async def test_no_code_is_stored(process: Process, database: Database) -> None:
    changing = Changing(process, await process.sign_up())
    await changing.ask("new@example.com")
    dumped = await database.reading(lambda tx: tx.value("select string_agg(e::text, '') from auth.email_changes e"))
    for code in (await changing.codes()).values():
        assert code not in dumped
