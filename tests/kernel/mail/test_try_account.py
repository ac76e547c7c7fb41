"""An account is tried before it is entered: what does not let us in is named, and nothing is kept."""

import ssl
from typing import Any

import pytest
from msgspec import UNSET

from headwater.kernel.database import Database, Transactions
from headwater.kernel.mail import InvalidLetter, SmtpChange, SmtpUnusable
from tests.kernel.mail.conftest import PASSWORD, USER, Mailers, PostOffice, silent_port


def account(port: int, **given: Any) -> SmtpChange:
    """An account of a server on this machine; the wire takes only the well-known ports."""
    stated: dict[str, Any] = {"host": "127.0.0.1", "port": port, "username": USER, "password": PASSWORD}
    stated |= {"enabled": True, "sender_email": "app@example.com", **given}
    return SmtpChange(**stated)


async def test_who_is_let_in_sends_nothing(office: PostOffice, mailers: Mailers, database: Database) -> None:
    await mailers().try_account(Transactions(database), account(office.port))
    assert office.logins == [(USER, PASSWORD)]
    assert office.taken == []
    await mailers().try_account(Transactions(database), account(office.port, username="", password=None))


async def test_the_kept_password_is_used_where_none_is_given(
    office: PostOffice, mailers: Mailers, database: Database
) -> None:
    mailer = mailers()
    await database.writing(lambda tx: mailer.put_account(tx, account(office.port)))
    await mailer.try_account(Transactions(database), account(office.port, password=UNSET))
    assert office.logins == [(USER, PASSWORD)]


async def test_what_is_wrong_is_named(office: PostOffice, mailers: Mailers, database: Database) -> None:
    transactions = Transactions(database)
    with pytest.raises(SmtpUnusable, match=r"password: 127\.0\.0\.1:\d+ refuses post and the password: 535") as caught:
        await mailers().try_account(transactions, account(office.port, password="hush"))
    assert "hush" not in caught.value.message
    assert caught.value.status == 400
    with pytest.raises(SmtpUnusable, match=r"host: 127\.0\.0\.1:1 cannot be used: .*tryConnection: false"):
        await mailers().try_account(transactions, account(1))
    with pytest.raises(SmtpUnusable, match=r"host: nowhere\.invalid"):
        await mailers().try_account(transactions, account(25, host="nowhere.invalid"))
    with pytest.raises(InvalidLetter, match="senderEmail"):
        await mailers().try_account(transactions, account(office.port, sender_email="x"))


async def test_a_silent_server_is_not_waited_for(mailers: Mailers, database: Database) -> None:
    server, port = await silent_port()
    try:
        with pytest.raises(SmtpUnusable, match=r"host: .* (no answer|cannot be used|Timed out)"):
            await mailers(timeout=0.3).try_account(Transactions(database), account(port))
    finally:
        server.close()


async def test_a_certificate_that_nobody_signed_is_refused(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], mailers: Mailers, database: Database
) -> None:
    served, believing = contexts
    with PostOffice(served) as office:
        await mailers(verify=believing).try_account(Transactions(database), account(office.port))
        with pytest.raises(SmtpUnusable, match=r"host: .*certificate"):
            await mailers().try_account(Transactions(database), account(office.port))
