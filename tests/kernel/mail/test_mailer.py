"""Letters on their way: by SMTP as the port demands, or into the development mailbox."""

import ssl
from typing import Any

import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Database, Transactions
from headwater.kernel.mail import (
    EmailProviderNotConfigured,
    InvalidLetter,
    Letter,
    MailDelayed,
    Mailer,
    MailRefused,
    SmtpChange,
    list_letters,
    remove_expired_letters,
)
from headwater.kernel.observe import MailFailed, MailSent, Observation
from tests.kernel.mail.conftest import PASSWORD, USER, VAULT, Mailers, PostOffice, silent_port

LETTER = Letter(
    id="job-1", to=("ada@example.com",), bcc=("b@example.com",), subject="Hello", html="<p>Your code: 123456</p>"
)
LOGIN: dict[str, Any] = {"username": USER, "password": PASSWORD}


def _is_elsewhere(_host: str) -> bool:
    return False


async def send(mailer: Mailer, database: Database, letter: Letter = LETTER) -> None:
    await mailer.send(Transactions(database), letter)


async def test_a_letter_arrives(
    mailers: Mailers, office: PostOffice, database: Database, observations: list[Observation]
) -> None:
    await send(mailers(host="127.0.0.1", port=office.port, sender_name="App"), database)
    (envelope,), (message,) = office.taken, office.messages
    assert (envelope.mail_from, envelope.rcpt_tos) == ("app@example.com", ["ada@example.com", "b@example.com"])
    assert (message["From"], message["To"], message["Subject"]) == (
        "App <app@example.com>",
        "ada@example.com",
        "Hello",
    )
    assert "Bcc" not in message
    assert [each.route for each in observations if isinstance(each, MailSent)] == ["smtp"]


async def test_nothing_is_sent_without_a_provider(mailers: Mailers, office: PostOffice, database: Database) -> None:
    for mailer in (mailers(), mailers("off", local=True), mailers("off", host="127.0.0.1", port=office.port)):
        with pytest.raises(EmailProviderNotConfigured):
            await send(mailer, database)
        with pytest.raises(EmailProviderNotConfigured):
            await database.reading(mailer.must_be_able)
    assert office.taken == []


async def test_the_mailbox_is_for_this_machine_alone_unless_it_is_asked_for(
    mailers: Mailers, office: PostOffice, database: Database
) -> None:
    await send(mailers(local=True), database)
    await send(mailers("development"), database)
    await send(mailers("development", host="127.0.0.1", port=office.port), database)
    assert len(await database.reading(lambda tx: list_letters(tx, VAULT))) == 3
    await send(mailers(local=True, host="127.0.0.1", port=office.port), database)
    assert len(office.taken) == 1


async def test_the_mailbox_keeps_a_letter_for_an_hour_and_tells_the_database_nothing(
    mailers: Mailers, database: Database, clock: DrivenClock
) -> None:
    await send(mailers(local=True), database)
    (letter,) = await database.reading(lambda tx: list_letters(tx, VAULT))
    assert (letter.to, letter.subject) == (("ada@example.com", "b@example.com"), "Hello")
    assert (letter.text, letter.html) == ("Your code: 123456\n", "<p>Your code: 123456</p>\n")
    row = await database.reading(lambda tx: tx.value("select m::text from system.mailbox m"))
    assert "123456" not in row and "ada" not in row
    clock.advance(3600)
    assert await database.reading(lambda tx: list_letters(tx, VAULT)) == []
    await database.writing(remove_expired_letters)
    assert await database.reading(lambda tx: tx.value("select count(*) from system.mailbox")) == 0


async def test_port_465_is_encrypted_from_the_first_byte(
    mailers: Mailers, database: Database, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    server, client = contexts
    with PostOffice(server, implicit=True) as office:
        await send(mailers(host="127.0.0.1", port=office.port, tls="implicit", verify=client, **LOGIN), database)
        assert (len(office.taken), office.logins) == (1, [(USER, PASSWORD)])


async def test_starttls_is_demanded_or_used_if_offered(
    mailers: Mailers, database: Database, contexts: tuple[ssl.SSLContext, ssl.SSLContext], office: PostOffice
) -> None:
    server, client = contexts
    with PostOffice(server) as encrypting:
        for tls in ("starttls", "opportunistic"):
            mailer = mailers(host="127.0.0.1", port=encrypting.port, tls=tls, verify=client, **LOGIN)
            await send(mailer, database)
        assert len(encrypting.taken) == 2
        with pytest.raises(MailDelayed, match="certificate"):  # nobody has vouched for it
            await send(mailers(host="127.0.0.1", port=encrypting.port, tls="starttls"), database)
    with pytest.raises(MailDelayed, match="STARTTLS"):  # later, perhaps: who is between us may be gone
        await send(mailers(host="127.0.0.1", port=office.port, tls="starttls"), database)
    assert office.taken == []


async def test_a_password_does_not_travel_in_the_clear(
    mailers: Mailers, office: PostOffice, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailer = mailers(host="127.0.0.1", port=office.port, **LOGIN)
    await send(mailer, database)
    assert office.logins == [(USER, PASSWORD)]
    monkeypatch.setattr("headwater.kernel.mail.smtp.is_loopback", _is_elsewhere)
    with pytest.raises(MailRefused, match="in the clear"):
        await send(mailer, database)
    assert len(office.logins) == len(office.taken) == 1


@pytest.mark.parametrize(("verdict", "refusal"), [("550 unknown", MailRefused), ("451 later", MailDelayed)])
async def test_what_can_be_tried_again_is_told_from_what_cannot(
    mailers: Mailers,
    office: PostOffice,
    database: Database,
    observations: list[Observation],
    verdict: str,
    refusal: type[Exception],
) -> None:
    office.verdict = verdict
    with pytest.raises(refusal):
        await send(mailers(host="127.0.0.1", port=office.port), database)
    final = [each.final for each in observations if isinstance(each, MailFailed)]
    assert final == [refusal is MailRefused]


async def test_a_wrong_password_is_final_and_never_told(
    mailers: Mailers, office: PostOffice, database: Database
) -> None:
    with pytest.raises(MailRefused) as refused:
        await send(mailers(host="127.0.0.1", port=office.port, username=USER, password="wrong horse"), database)
    assert "wrong horse" not in str(refused.value)


async def test_a_server_that_is_away_or_says_nothing_is_not_waited_for(mailers: Mailers, database: Database) -> None:
    server, port = await silent_port()
    with pytest.raises(MailDelayed):
        await send(mailers(host="127.0.0.1", port=port, timeout=0.2), database)
    server.close()
    await server.wait_closed()
    with pytest.raises(MailDelayed):
        await send(mailers(host="127.0.0.1", port=port, timeout=0.2), database)


async def test_the_admins_account_comes_before_the_environments(
    mailers: Mailers, office: PostOffice, database: Database
) -> None:
    mailer = mailers(host="127.0.0.1", port=1, sender_email="env@example.com")
    change = SmtpChange(
        enabled=True,
        host="127.0.0.1",
        username=USER,
        password=PASSWORD,
        sender_email="admin@example.com",
        sender_name="Admin",
        min_interval_seconds=5,
    )
    stored, _ = await database.writing(lambda tx: mailer.put_account(tx, change))
    assert (stored.has_password, stored.host, stored.min_interval_seconds) == (True, "127.0.0.1", 5)
    assert await database.reading(mailer.pause) == 5
    secret = await database.reading(lambda tx: tx.value("select string_agg(s::text, ' ') from system.secrets s"))
    assert PASSWORD not in secret
    await database.writing(lambda tx: tx.execute("update system.smtp_account set port = $1", office.port))
    await send(mailer, database)
    assert office.messages[0]["From"] == "Admin <admin@example.com>"
    assert office.logins == [(USER, PASSWORD)]
    kept = SmtpChange(enabled=False, host="127.0.0.1", sender_email="admin@example.com")
    again, _ = await database.writing(lambda tx: mailer.put_account(tx, kept))
    assert (again.id, again.enabled, again.has_password) == (stored.id, False, True)
    assert await database.reading(mailer.pause) == 60
    with pytest.raises(MailDelayed):  # the environment's again, whose port is dead
        await send(mailer, database)
    forgotten = SmtpChange(enabled=False, host="127.0.0.1", sender_email="admin@example.com", password="")
    gone, _ = await database.writing(lambda tx: mailer.put_account(tx, forgotten))
    assert not gone.has_password


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("host", {"host": "  "}),
        ("host", {"host": "mail\nexample"}),
        ("senderEmail", {"sender_email": "nobody"}),
        ("senderName", {"sender_name": "a\r\nBcc: b@c.de"}),
    ],
)
async def test_an_account_that_could_send_nothing_is_refused(
    mailers: Mailers, database: Database, field: str, values: dict[str, Any]
) -> None:
    good: dict[str, Any] = {"enabled": True, "host": "mail.example.com", "sender_email": "a@example.com"}
    change = SmtpChange(**{**good, **values})
    with pytest.raises(InvalidLetter, match=field):
        await database.writing(lambda tx: mailers().put_account(tx, change))
