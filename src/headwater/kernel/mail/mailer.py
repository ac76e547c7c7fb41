"""The mailer: knows by which way letters go, and sends them."""

import ssl
from time import perf_counter
from typing import Literal

from msgspec import UNSET

from headwater.kernel.clock import Clock
from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.ids import new_id
from headwater.kernel.mail import queries, smtp
from headwater.kernel.mail.errors import EmailProviderNotConfigured, InvalidLetter, MailDelayed, MailRefused
from headwater.kernel.mail.letter import compose
from headwater.kernel.mail.mailbox import keep_letter
from headwater.kernel.mail.models import (
    Letter,
    MailSettings,
    SmtpAccount,
    SmtpChange,
    SmtpSettings,
    StoredSmtpAccount,
)
from headwater.kernel.mail.queries import AccountRow
from headwater.kernel.observe import MailFailed, MailSent, Observer
from headwater.kernel.vault import Vault

_PATIENCE = 10.0
"""Seconds for an account to be tried in."""
_KEPT_AS = "mail/smtp-password"
_DEVELOPER = "headwater@localhost"
Route = SmtpAccount | Literal["mailbox"]


class Mailer:
    """Sends letters: by the account the admin has entered, by the one of the environment, into the mailbox.

    `listens_locally` says that the server is bound to this machine alone, where letters nobody can send are kept in
    the development mailbox instead. `verify` is for tests.
    """

    def __init__(
        self,
        settings: tuple[MailSettings, SmtpSettings],
        vault: Vault,
        clock: Clock,
        observer: Observer,
        *,
        listens_locally: bool,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self._settings, self._smtp = settings
        self._vault = vault
        self._clock = clock
        self._observer = observer
        self._listens_locally = listens_locally
        self._verify = verify

    async def must_be_able(self, tx: ReadingTransaction) -> None:
        """Return if letters can be sent; raises `EmailProviderNotConfigured`."""
        await self._route(tx)

    async def pause(self, tx: ReadingTransaction) -> int:
        """How many seconds must lie between two letters to one address that strangers can ask for."""
        account = await queries.find_account(tx)
        if account is None or not account.enabled:
            return self._smtp.min_interval_seconds
        return account.min_interval_seconds

    async def send(self, transactions: Transactions, letter: Letter) -> None:
        """Send a letter; return once a server, or the mailbox, has taken it. No connection is held meanwhile.

        Raises `EmailProviderNotConfigured`, `InvalidLetter`, `MailDelayed`, `MailRefused`.
        """
        route = await transactions.reading(self._route)
        account = _mailbox_account(self._smtp) if isinstance(route, str) else route
        message = compose(letter, account, self._clock.now())
        recipients = list(dict.fromkeys((*letter.to, *letter.cc, *letter.bcc)))
        began = perf_counter()
        name = route if isinstance(route, str) else "smtp"
        try:
            if isinstance(route, str):
                await transactions.writing(lambda tx: keep_letter(tx, self._vault, message, recipients))
            else:
                await smtp.send(route, message, recipients, self._smtp.timeout, self._verify)
        except (MailDelayed, MailRefused) as refusal:
            self._observer.tell(MailFailed(name, type(refusal).__name__, isinstance(refusal, MailRefused)))
            raise
        self._observer.tell(MailSent(name, perf_counter() - began))

    async def find_account(self, tx: ReadingTransaction) -> StoredSmtpAccount | None:
        """The account the admin has entered, without its password."""
        account = await queries.find_account(tx)
        return None if account is None else await self._shown(tx, account)

    async def try_account(self, transactions: Transactions, change: SmtpChange) -> None:
        """Sign in with the account that is to be entered; no connection is held meanwhile.

        Raises `InvalidLetter` and `SmtpUnusable`, which name the field.
        """
        _must_be_complete(change)
        password = change.password
        if password is UNSET:
            kept = await transactions.reading(lambda tx: self._vault.read(tx, _KEPT_AS))
            password = None if kept is None else kept.decode()
        account = SmtpAccount(
            host=change.host,
            port=change.port,
            username=change.username,
            password=password or None,
            sender_email=change.sender_email,
            sender_name=change.sender_name,
            min_interval_seconds=change.min_interval_seconds,
        )
        await smtp.sign_in(account, min(self._smtp.timeout, _PATIENCE), self._verify)

    async def put_account(self, tx: WritingTransaction, change: SmtpChange) -> StoredSmtpAccount:
        """Enter the account; its password goes into the vault, and an empty one out of it.

        Raises `InvalidLetter` for a field without which an enabled account could send nothing.
        """
        if change.enabled:
            _must_be_complete(change)
        account = await queries.put_account(tx, new_id(), change)
        if change.password is None or change.password == "":
            await self._vault.remove(tx, _KEPT_AS)
        elif change.password is not UNSET:
            await self._vault.write(tx, _KEPT_AS, change.password.encode(), reserved=True)
        return await self._shown(tx, account)

    async def _route(self, tx: ReadingTransaction) -> Route:
        if self._settings.mode == "development":
            return "mailbox"
        if self._settings.mode is None:
            account = await self._stored(tx) or _configured(self._smtp)
            if account is not None:
                return account
            if self._listens_locally:
                return "mailbox"
        raise EmailProviderNotConfigured

    async def _stored(self, tx: ReadingTransaction) -> SmtpAccount | None:
        row = await queries.find_account(tx)
        if row is None or not row.enabled:
            return None
        password = await self._vault.read(tx, _KEPT_AS)
        return SmtpAccount(
            host=row.host,
            port=row.port,
            username=row.username,
            password=None if password is None else password.decode(),
            sender_email=row.sender_email,
            sender_name=row.sender_name,
            min_interval_seconds=row.min_interval_seconds,
        )

    async def _shown(self, tx: ReadingTransaction, row: AccountRow) -> StoredSmtpAccount:
        return StoredSmtpAccount(
            id=row.id,
            enabled=row.enabled,
            host=row.host,
            port=row.port,
            username=row.username,
            has_password=await self._vault.read(tx, _KEPT_AS) is not None,
            sender_email=row.sender_email,
            sender_name=row.sender_name,
            min_interval_seconds=row.min_interval_seconds,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


def _configured(settings: SmtpSettings) -> SmtpAccount | None:
    """The environment's account; None where it names no host."""
    if settings.host is None:
        return None
    return SmtpAccount(
        host=settings.host,
        port=settings.port,
        username=settings.username,
        password=settings.password,
        sender_email=settings.sender_email or settings.username,
        sender_name=settings.sender_name,
        min_interval_seconds=settings.min_interval_seconds,
        tls=settings.tls,
    )


def _mailbox_account(settings: SmtpSettings) -> SmtpAccount:
    """Whom letters in the mailbox are from."""
    return SmtpAccount(
        host="",
        port=0,
        username="",
        password=None,
        sender_email=settings.sender_email or _DEVELOPER,
        sender_name=settings.sender_name or "Headwater",
        min_interval_seconds=settings.min_interval_seconds,
    )


def _must_be_complete(change: SmtpChange) -> None:
    if not change.host.strip() or any(letter.isspace() for letter in change.host):
        raise InvalidLetter(field="host", reason="must be the mail server's name")
    if "@" not in change.sender_email:
        raise InvalidLetter(field="senderEmail", reason="Invalid email")
    for field, text in (("senderName", change.sender_name), ("username", change.username)):
        if not text.isprintable():
            raise InvalidLetter(field=field, reason="must be one line")
