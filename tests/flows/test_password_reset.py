"""The way of a letter that gives an account a new password; docs/flows/password-reset.md."""

import asyncio
import re
from typing import Any

import pytest

from headwater.kernel.mail import Letter, Mailer
from headwater.platform.identity import queries as identity_queries
from headwater.platform.identity.passwords import Passwords
from tests.flows.trace import Trace
from tests.kit.door import Door

pytestmark = pytest.mark.asyncio(loop_scope="session")
PATH = "/api/auth/email"


@pytest.fixture
def trace(trace: Trace) -> Trace:
    """Watches who is in the table: the look at the account, the code, the letter, the new password."""
    for name in ("find_user_id", "put_code", "count_attempt", "spend_code", "put_password", "remove_sessions_of"):
        trace.watch(identity_queries, name)
    trace.watch(Mailer, "send")
    trace.watch(Passwords, "accept")
    return trace


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> asyncio.Queue[Letter]:
    """The letters as they are handed to the mailer."""
    letters: asyncio.Queue[Letter] = asyncio.Queue()
    send = Mailer.send

    async def note(mailer: Mailer, transactions: Any, letter: Letter) -> None:
        await send(mailer, transactions, letter)
        letters.put_nowait(letter)

    monkeypatch.setattr(Mailer, "send", note)
    return letters


async def letter_to(email: str, sent: asyncio.Queue[Letter]) -> Letter:
    """The next letter to an address."""
    async with asyncio.timeout(30):
        while True:
            letter = await sent.get()
            if email in letter.to:
                return letter


async def test_the_answer_leaves_before_anybody_looks_whose_the_address_is(door: Door, trace: Trace) -> None:
    await door.sign_up("leaves@example.com")
    told: list[object] = []
    for email in ("leaves@example.com", "nobody@example.com"):
        with trace.following():
            answered = await door.ask("POST", f"{PATH}/send-reset-password", {"email": email})
        assert answered.status == 202
        trace.must_not_pass("call: *.find_user_id", "call: *.put_code", "call: Mailer.send")
        trace.must_pass("stage: limit", "stage: validate", "stage: transact", "sql: commit", "stage: publish")
        told.append((answered.json, trace.stages))
    assert told[0] == told[1]


async def test_a_letter_leads_to_a_new_password(door: Door, trace: Trace, sent: asyncio.Queue[Letter]) -> None:
    email = "reset@example.com"
    await door.sign_up(email)
    await door.ask("POST", f"{PATH}/send-reset-password", {"email": email})
    letter = await letter_to(email, sent)
    (code,) = re.findall(r"<b>(\d{6})</b>", letter.html)

    with trace.following():
        wrong = await door.ask("POST", f"{PATH}/exchange-reset-password-token", {"email": email, "code": "abc"})
    assert wrong.status == 400
    trace.must_pass("stage: transact", "call: queries.count_attempt", "sql: commit", "stage: respond")

    with trace.following():
        exchanged = await door.ask("POST", f"{PATH}/exchange-reset-password-token", {"email": email, "code": code})
    trace.must_pass("call: queries.spend_code", "call: queries.put_code", "sql: commit", "stage: respond")

    with trace.following():
        body = {"newPassword": "another horse", "otp": exchanged.json["token"]}
        answered = await door.ask("POST", f"{PATH}/reset-password", body)
    assert answered.status == 200, answered.body
    trace.must_pass(
        "stage: transact",
        "sql: commit",
        "call: Passwords.accept",
        "call: queries.spend_code",
        "call: queries.put_password",
        "call: queries.remove_sessions_of",
        "sql: commit",
        "stage: respond",
    )
    assert not trace.holds_a_connection_at("call: Passwords.accept")
