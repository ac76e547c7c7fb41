"""Codes and links: asked for by anyone, read by the owner of the address, good once."""

import asyncio
import random
from statistics import median
from time import perf_counter
from typing import Any

import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.errors import InvalidInput, InvalidToken, TooManyRequests
from headwater.kernel.mail import EmailProviderNotConfigured, Mailer, MailSettings, SmtpSettings
from headwater.kernel.observe import Observer
from headwater.kernel.principal import NOBODY
from headwater.platform.identity.errors import (
    InvalidCode,
    InvalidCredentials,
    InvalidVerificationToken,
    RedirectNeeded,
    RedirectNotAllowed,
    SignupDisabled,
    VerificationMailNotDelivered,
    VerificationMailPostponed,
    VerificationNeeded,
    WeakPassword,
)
from headwater.platform.identity.events import UserCreated
from headwater.platform.identity.models import AwaitsVerification, NewUser, SignedIn
from tests.platform.identity.conftest import VAULT, Process, Start, user_of
from tests.platform.identity.postbox import HOME, Postbox

OWN = "https://auth.example.com/welcome?a=b"


@pytest.fixture
def post(process: Process) -> Postbox:
    """Mail of the process, a letter to anyone at any time."""
    return Postbox(process)


@pytest.fixture
async def hurried(start: Start, clock: DrivenClock, observer: Observer) -> Postbox:
    """Mail of a process with the usual pause of a minute between two letters to one address."""
    settings = (MailSettings(mode="development"), SmtpSettings())
    return Postbox(await start(mailer=Mailer(settings, VAULT, clock, observer, listens_locally=True)))


@pytest.fixture
async def mute(start: Start, clock: DrivenClock, observer: Observer) -> Postbox:
    """A process that can send nothing."""
    settings = (MailSettings(mode="off"), SmtpSettings())
    return Postbox(await start(mailer=Mailer(settings, VAULT, clock, observer, listens_locally=True)))


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


async def test_a_code_verifies_an_address_and_signs_in(post: Postbox) -> None:
    await post.process.sign_up()
    await post.ask("verification")
    (letter,) = await post.letters()
    assert (letter.to, letter.subject) == (("a@example.com",), f"Your verification code: {await post.code()}")
    signed_in = await post.verify(await post.code(), " A@Example.com")
    assert user_of(signed_in).email_verified
    post.process.whoami(signed_in)
    with pytest.raises(InvalidCode):
        await post.verify(await post.code())


async def test_a_code_is_stored_so_that_the_table_tells_nothing(post: Postbox) -> None:
    await post.process.sign_up()
    await post.ask("verification")
    row = await post.process.database.reading(lambda tx: tx.value("select o::text from auth.email_otps o"))
    assert await post.code() not in row
    (call,) = post.process.effects.jobs or [None]
    assert call is None


@pytest.mark.parametrize(("what", "seconds"), [("verification", 900), ("reset", 900), ("otp", 300)])
async def test_a_code_is_good_for_a_while(post: Postbox, clock: DrivenClock, what: str, seconds: int) -> None:
    await post.process.sign_up()
    show: Any = {"verification": post.verify, "reset": post.exchange, "otp": post.sign_in}[what]
    await post.ask(what)
    clock.advance(seconds)
    with pytest.raises(InvalidCode):
        await show(await post.code())
    await post.ask(what)
    clock.advance(seconds - 1)
    await show(await post.code())


async def test_three_wrong_ones_end_a_code(post: Postbox) -> None:
    await post.process.sign_up()
    await post.ask("verification")
    code = await post.code()
    for _ in range(3):
        with pytest.raises(InvalidCode):
            await post.verify(other_than(code))
    with pytest.raises(InvalidCode):
        await post.verify(code)
    await post.ask("verification")
    await post.verify(await post.code())


async def test_guesses_sent_all_at_once_are_three_too(post: Postbox) -> None:
    await post.process.sign_up()
    await post.ask("verification")
    code = await post.code()
    guesses = [other_than(code)] * 8 + [code]
    outcomes = await asyncio.gather(*map(post.verify, guesses), return_exceptions=True)
    attempts = await post.process.database.reading(lambda tx: tx.value("select attempts_count from auth.email_otps"))
    assert attempts <= 3
    assert sum(isinstance(each, SignedIn) for each in outcomes) <= 1


async def test_a_code_is_used_once_though_many_show_it_together(post: Postbox) -> None:
    await post.process.sign_up()
    await post.ask("verification")
    outcomes = await asyncio.gather(*[post.verify(await post.code()) for _ in range(6)], return_exceptions=True)
    assert sorted(type(each).__name__ for each in outcomes) == ["InvalidCode"] * 5 + ["SignedIn"]


async def test_there_is_one_live_code_for_each_purpose(post: Postbox) -> None:
    await post.process.sign_up()
    await post.ask("verification")
    first = await post.code()
    await post.ask("otp")
    await post.ask("verification")
    with pytest.raises(InvalidCode):
        await post.verify(first)
    with pytest.raises(InvalidCode):
        await post.sign_in(await post.code())
    await post.verify(await post.code())


@pytest.mark.parametrize("otp", ["", "0", "12345", "1234567", "abcdef", "１２３４５６", "0" * 128])
async def test_what_is_no_code_is_a_wrong_one(post: Postbox, otp: str) -> None:
    await post.process.sign_up()
    await post.ask("verification")
    with pytest.raises(InvalidCode):
        await post.verify(otp)


async def test_ten_wrong_ones_close_the_door_for_a_while(post: Postbox, clock: DrivenClock) -> None:
    for number in range(10):
        with pytest.raises(InvalidCode):
            await post.verify("000000", f"{number}@example.com")
    with pytest.raises(TooManyRequests) as refused:
        await post.verify("000000")
    assert refused.value.headers["Retry-After"] == "900"
    with pytest.raises(TooManyRequests):
        await post.exchange("000000")
    with pytest.raises(TooManyRequests):
        await post.reset("0" * 64)
    with pytest.raises(InvalidCode):
        await post.verify("000000", address="198.51.100.1")
    clock.advance(900)
    with pytest.raises(InvalidCode):
        await post.verify("000000")


async def test_an_address_is_closed_though_each_guess_comes_from_elsewhere(post: Postbox) -> None:
    for number in range(10):
        with pytest.raises(InvalidCode):
            await post.verify("000000", address=f"198.51.100.{number}")
    with pytest.raises(TooManyRequests):
        await post.verify("000000", address="198.51.100.99")


async def test_five_letters_a_network_and_one_a_minute_an_address(hurried: Postbox, clock: DrivenClock) -> None:
    await hurried.ask("otp", "0@example.com")
    for what in ("otp", "reset"):
        with pytest.raises(TooManyRequests) as refused:
            await hurried.ask(what, "0@example.com", "198.51.100.1")
        assert refused.value.headers["Retry-After"] == "60"
    clock.advance(60)
    await hurried.ask("otp", "0@example.com")
    for number in range(1, 4):
        await hurried.ask("otp", f"{number}@example.com")
    with pytest.raises(TooManyRequests) as refused:
        await hurried.ask("otp", "9@example.com")
    assert refused.value.headers["Retry-After"] == "840"
    await hurried.ask("otp", "9@example.com", "198.51.100.1")
    clock.advance(840)
    await hurried.ask("otp", "8@example.com")


@pytest.mark.parametrize("what", ["verification", "reset", "otp"])
async def test_nothing_is_promised_where_nothing_can_be_sent(mute: Postbox, what: str) -> None:
    with pytest.raises(EmailProviderNotConfigured):
        await mute.ask(what)
    assert mute.process.effects.jobs == []


@pytest.mark.parametrize("what", ["verification", "reset"])
async def test_nobody_learns_whether_an_address_has_an_account(post: Postbox, what: str) -> None:
    await post.process.sign_up()
    answers = [await post.ask_only(what, email) for email in ("a@example.com", "nobody@example.com")]
    assert answers[0] == answers[1]
    assert len(post.process.effects.jobs) == 2
    await post.work()
    assert [letter.to for letter in await post.letters()] == [("a@example.com",)]


async def test_the_time_tells_nothing_either(start: Start) -> None:
    post = Postbox(await start())
    for email in ("known0@example.com", "known1@example.com"):
        await post.process.sign_up(email)
    times: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(60):
        known = turn % 2 == 0
        email = f"known{turn % 4 // 2}@example.com" if known else f"unknown{turn}@example.com"
        began = perf_counter()
        await post.ask_only("reset", email, f"198.51.100.{turn}")
        times[known].append(perf_counter() - began)
    slow, fast = sorted(median(each) for each in times.values())[::-1]
    assert slow < fast * 1.5 + 0.002


async def test_a_verified_address_is_not_verified_again(post: Postbox) -> None:
    await post.process.sign_up()
    await post.ask("verification")
    await post.verify(await post.code())
    await post.ask("verification")
    assert len(await post.letters()) == 1


@pytest.mark.parametrize("what", ["verification", "reset", "otp"])
async def test_what_is_no_address_is_refused(post: Postbox, what: str) -> None:
    with pytest.raises(InvalidInput, match="email"):
        await post.ask(what, "nobody\r\nBcc: evil@example.com")


async def test_a_link_verifies_an_address_and_leads_on(post: Postbox) -> None:
    await post.say(verify_email_method="link")
    await post.process.sign_up()
    with pytest.raises(RedirectNeeded):
        await post.ask("verification")
    await post.ask("verification", redirect_to=OWN)
    assert (await post.link()).startswith("https://auth.example.com/api/auth/email/verify-link?token=")
    token = await post.token()
    assert len(token) == 64
    place, told = await post.follow("verify", token)
    assert place == "https://auth.example.com/welcome"
    assert told == {"a": "b", "insforge_type": "verify_email", "insforge_status": "success"}
    row = await post.process.database.reading(lambda tx: tx.row("select email_verified from auth.users"))
    assert row is not None and row["email_verified"]
    _, told = await post.follow("verify", token)
    assert (told["insforge_status"], told["insforge_error"]) == ("error", "Invalid or expired link")
    with pytest.raises(InvalidCode):
        await post.verify(token)


async def test_a_link_is_good_for_a_day(post: Postbox, clock: DrivenClock) -> None:
    await post.say(verify_email_method="link")
    await post.process.sign_up()
    await post.ask("verification", redirect_to=OWN)
    clock.advance(86_400)
    # the letter is gone by then, its reader's copy is not
    token = "0" * 64
    with pytest.raises(InvalidVerificationToken):
        await post.follow("verify", token)


async def test_an_old_link_leads_on_and_says_so(post: Postbox, clock: DrivenClock) -> None:
    await post.say(verify_email_method="link")
    await post.process.sign_up()
    await post.ask("verification", redirect_to=OWN)
    token = await post.token()
    clock.advance(86_400)
    _, told = await post.follow("verify", token)
    assert told["insforge_status"] == "error"
    clock.advance(86_400)
    await post.process.database.writing(post.mailing.remove_expired)
    with pytest.raises(InvalidVerificationToken):
        await post.follow("verify", token)


async def test_a_link_is_used_once_though_many_follow_it_together(post: Postbox) -> None:
    await post.say(verify_email_method="link")
    await post.process.sign_up()
    await post.ask("verification", redirect_to=OWN)
    token = await post.token()
    outcomes = await asyncio.gather(*[post.follow("verify", token) for _ in range(5)])
    assert sorted(told["insforge_status"] for _, told in outcomes) == ["error"] * 4 + ["success"]


@pytest.mark.parametrize("what", ["verification", "reset"])
async def test_a_link_leads_only_where_the_admin_has_said(post: Postbox, what: str) -> None:
    elsewhere = "https://app.example.org/done"
    with pytest.raises(RedirectNotAllowed):
        await post.ask(what, redirect_to=elsewhere)
    await post.say(allowed_redirect_urls=("https://app.example.org/*",))
    await post.ask(what, redirect_to=elsewhere)


async def test_a_link_does_not_lead_where_the_admin_no_longer_says(post: Postbox) -> None:
    await post.say(verify_email_method="link", allowed_redirect_urls=("https://app.example.org/*",))
    await post.process.sign_up()
    await post.ask("verification", redirect_to="https://app.example.org/done")
    await post.say(allowed_redirect_urls=())
    with pytest.raises(RedirectNotAllowed):
        await post.follow("verify", await post.token())


async def test_a_password_is_reset_by_code(post: Postbox) -> None:
    signed_in = await post.process.sign_up()
    for _ in range(3):
        with pytest.raises(InvalidCredentials):
            await post.process.sign_in(password="forgotten")
    await post.ask("reset")
    token = await post.exchange(await post.code())
    with pytest.raises(InvalidCode):
        await post.exchange(await post.code())
    await post.reset(token)
    with pytest.raises(InvalidToken):
        post.process.whoami(signed_in)
    with pytest.raises(InvalidCredentials):
        await post.process.sign_in()
    assert user_of(await post.process.sign_in(password="secret 2")).email_verified
    with pytest.raises(InvalidVerificationToken):
        await post.reset(token, "secret 3")


async def test_a_password_is_reset_by_link(post: Postbox) -> None:
    await post.say(reset_password_method="link")
    await post.process.sign_up()
    await post.ask("reset", redirect_to=OWN)
    token = await post.token()
    for _ in range(2):  # a mail scanner may have been there first
        place, told = await post.follow("reset", token)
        assert place == "https://auth.example.com/welcome"
        assert told == {"a": "b", "token": token, "insforge_type": "reset_password", "insforge_status": "ready"}
    await post.reset(token)
    await post.process.sign_in(password="secret 2")
    _, told = await post.follow("reset", token)
    assert told["insforge_status"] == "error" and "token" not in told


async def test_a_token_is_good_once_though_many_show_it_together(post: Postbox) -> None:
    await post.process.sign_up()
    await post.ask("reset")
    token = await post.exchange(await post.code())
    resets = [post.reset(token, f"secret {number}") for number in range(4)]
    outcomes = await asyncio.gather(*resets, return_exceptions=True)
    assert sorted(type(each).__name__ for each in outcomes) == ["InvalidVerificationToken"] * 3 + ["NoneType"]


async def test_a_weak_password_leaves_the_token_good(post: Postbox) -> None:
    await post.process.sign_up()
    await post.say(password_min_length=8, require_number=True)
    await post.ask("reset")
    token = await post.exchange(await post.code())
    with pytest.raises(WeakPassword):
        await post.reset(token, "short 1")
    await post.reset(token, "long enough 1")


async def test_a_token_for_one_thing_is_good_for_nothing_else(post: Postbox) -> None:
    await post.say(verify_email_method="link")
    await post.process.sign_up()
    await post.ask("verification", redirect_to=OWN)
    with pytest.raises(InvalidVerificationToken):
        await post.reset(await post.token())
    with pytest.raises(InvalidVerificationToken):
        await post.follow("reset", await post.token())


async def test_a_reset_opens_a_door_that_guesses_had_closed(start: Start) -> None:
    post = Postbox(await start(failures_per_account=2))
    await post.process.sign_up()
    for _ in range(2):
        with pytest.raises(InvalidCredentials):
            await post.process.sign_in(password="wrong")
    with pytest.raises(TooManyRequests):
        await post.process.sign_in()
    await post.ask("reset")
    await post.reset(await post.exchange(await post.code()))
    await post.process.sign_in(password="secret 2")


async def test_a_code_opens_the_account_of_a_verified_address(post: Postbox) -> None:
    await post.process.sign_up()
    await post.ask("verification")
    await post.verify(await post.code())
    await post.ask("otp")
    signed_in = await post.sign_in(await post.code())
    assert user_of(signed_in).providers == ("email",)
    await post.process.sign_in()


async def test_a_code_for_an_unknown_address_makes_an_account(post: Postbox) -> None:
    await post.ask("otp", "New@example.com")
    signed_in = await post.sign_in(await post.code(), "new@example.com", name="  Ada ")
    user = user_of(signed_in)
    assert (user.email, user.email_verified, user.providers, user.profile) == (
        "new@example.com",
        True,
        (),
        {"name": "Ada"},
    )
    assert UserCreated(user_id=user.id, email="new@example.com") in post.process.effects.events
    with pytest.raises(InvalidCredentials):
        await post.process.sign_in("new@example.com")


async def test_whoever_signed_up_with_an_address_he_cannot_read_is_put_out(post: Postbox) -> None:
    thief = await post.process.sign_up()
    await post.ask("otp")
    owner = await post.sign_in(await post.code())
    assert user_of(owner).id == user_of(thief).id
    assert user_of(owner).email_verified and user_of(owner).providers == ()
    with pytest.raises(InvalidToken):
        post.process.whoami(thief)
    with pytest.raises(InvalidCredentials):
        await post.process.sign_in()
    post.process.whoami(owner)


async def test_where_sign_up_is_disabled_a_code_makes_no_account(post: Postbox) -> None:
    await post.process.sign_up()
    await post.ask("otp", "later@example.com")
    code = await post.code()
    await post.say(disable_signup=True)
    with pytest.raises(SignupDisabled):
        await post.sign_in(code, "later@example.com")
    await post.ask("otp", "new@example.com")
    assert len(await post.letters()) == 1
    await post.ask("otp")
    await post.sign_in(await post.code())


async def test_where_addresses_must_be_verified_nobody_is_in_before(post: Postbox) -> None:
    await post.say(require_email_verification=True)
    body = NewUser(email="a@example.com", password="secret", address=HOME)
    answer = await post.process.identity.sign_up(post.process.transactions, NOBODY, body)
    assert answer == AwaitsVerification()
    with pytest.raises(VerificationNeeded):
        await post.process.sign_in()
    with pytest.raises(InvalidCredentials):
        await post.process.sign_in(password="wrong")
    await post.verify(await post.code())
    await post.process.sign_in()
    count = await post.process.database.reading(lambda tx: tx.value("select count(*) from auth.sessions"))
    assert count == 2


async def test_a_letter_that_is_not_sent_is_told_and_the_account_is_there(
    start: Start, clock: DrivenClock, observer: Observer
) -> None:
    smtp = SmtpSettings(host="127.0.0.1", port=1, sender_email="a@example.com", min_interval_seconds=0, timeout=1)
    settings = (MailSettings(), smtp)
    post = Postbox(await start(mailer=Mailer(settings, VAULT, clock, observer, listens_locally=False)))
    await post.say(require_email_verification=True)
    body = NewUser(email="a@example.com", password="secret", address=HOME)
    with pytest.raises(VerificationMailNotDelivered):
        await post.process.identity.sign_up(post.process.transactions, NOBODY, body)
    with pytest.raises(VerificationNeeded):
        await post.process.sign_in()


async def test_a_letter_that_must_wait_is_told_and_the_account_is_there(hurried: Postbox) -> None:
    await hurried.say(require_email_verification=True)
    await hurried.ask("otp", "a@example.com")
    body = NewUser(email="a@example.com", password="secret", address=HOME)
    with pytest.raises(VerificationMailPostponed) as refused:
        await hurried.process.identity.sign_up(hurried.process.transactions, NOBODY, body)
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "60")
    with pytest.raises(VerificationNeeded):
        await hurried.process.sign_in()


async def test_random_histories_of_codes_open_only_by_the_newest_unspent_one(
    post: Postbox, clock: DrivenClock, seeded: random.Random
) -> None:
    """Whatever is asked for and shown: a code opens if it is the newest, unspent, in time, after less than 3 misses."""
    await post.process.sign_up()
    live: tuple[str, float] | None = None
    misses = 0
    seen: list[str] = []
    for turn in range(40):
        address = f"198.51.{turn}.1"
        action = seeded.choice(["ask", "show newest", "show old", "guess", "wait"])
        if action == "ask":
            await post.ask("otp", address=address)
            live, misses = (await post.code(), clock.timestamp() + 300), 0
            seen.append(live[0])
        elif action == "wait":
            clock.advance(seeded.choice([1, 150, 1000]))
        elif seen:
            newest = live[0] if live else seen[-1]
            shown = {"show newest": newest, "show old": seeded.choice(seen), "guess": other_than(newest)}[action]
            opens = live is not None and shown == live[0] and clock.timestamp() < live[1] and misses < 3
            try:
                await post.sign_in(shown, address=address)
                assert opens
                live = None
            except TooManyRequests:
                clock.advance(900)
            except InvalidCode:
                assert not opens
                misses += live is not None and shown != live[0]
