"""What the admin can do with mail, and what a user may send."""

from dataclasses import dataclass
from datetime import timedelta

import msgspec

from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.ids import new_id, new_request_id
from headwater.kernel.mail import EmailProviderNotConfigured, Letter, Mailer, SmtpChange, StoredSmtpAccount
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import Kind, Principal
from headwater.platform.identity import queries, rules
from headwater.platform.identity.codes import Codes
from headwater.platform.identity.errors import MailNeededForVerification, SenderNotSignedIn
from headwater.platform.identity.models import (
    MailingSettings,
    RawLetter,
    Sent,
    SmtpConfig,
    Template,
    TemplateChange,
    Templates,
)
from headwater.platform.identity.policy import Policy
from headwater.platform.identity.templates import DEFAULTS, must_be_template


@dataclass(frozen=True)
class Mailing:
    """The verbs of mail."""

    settings: MailingSettings
    mailer: Mailer
    codes: Codes
    policy: Policy

    async def warm(self, transactions: Transactions) -> None:
        """Have a template for every letter."""

        async def ensure(tx: WritingTransaction) -> None:
            for template in DEFAULTS.values():
                await queries.add_template(tx, new_id(), template)

        await transactions.writing(ensure)

    async def show_smtp_config(self, tx: ReadingTransaction, _principal: Principal, _body: None) -> SmtpConfig:
        """The SMTP account, without its password."""
        account = await self.mailer.find_account(tx)
        return SmtpConfig() if account is None else SmtpConfig(**msgspec.structs.asdict(account))

    async def change_smtp_config(
        self, transactions: Transactions, _principal: Principal, body: SmtpChange
    ) -> StoredSmtpAccount:
        """Enter the SMTP account, once it lets us in; its password goes into the vault.

        Raises `InvalidLetter` and `SmtpUnusable`, which name the field, and `MailNeededForVerification`.
        """
        if body.enabled and body.try_connection:
            await self.mailer.try_account(transactions, body)

        async def keep(tx: WritingTransaction) -> StoredSmtpAccount:
            await queries.lock_config(tx)
            account = await self.mailer.put_account(tx, body)
            if (await self.policy.read(tx)).require_email_verification:
                await self._must_be_able(tx)
            details = {"host": body.host, "on": body.enabled}
            tx.audit(AuditEntry(action="SMTP_CHANGED", module="identity", details=details))
            return account

        return await transactions.writing(keep)

    async def list_templates(self, tx: ReadingTransaction, _principal: Principal, _body: None) -> Templates:
        """How letters are worded."""
        return Templates(templates=await queries.list_templates(tx, list(DEFAULTS)))

    async def change_template(self, tx: WritingTransaction, _principal: Principal, body: TemplateChange) -> Template:
        """Word a letter otherwise; raises `InvalidTemplate`, which names the field."""
        must_be_template(body)
        tx.audit(AuditEntry(action="TEMPLATE_CHANGED", module="identity", details={"type": body.template_type}))
        return await queries.put_template(tx, new_id(), body)

    async def send_raw(self, transactions: Transactions, principal: Principal, body: RawLetter) -> Sent:
        """Send a letter in a user's own words, from the project's address.

        Raises `SenderNotSignedIn`, `InvalidLetter`, `TooManyRequests`, `EmailProviderNotConfigured`, `MailDelayed`,
        `MailRefused`: the caller is told, so it is sent here and not in a job.
        """
        if principal.kind not in {Kind.USER, Kind.ADMIN}:
            raise SenderNotSignedIn
        letter = Letter(
            id=new_request_id(),
            to=_addresses(body.to),
            cc=_addresses(body.cc),
            bcc=_addresses(body.bcc),
            subject=body.subject,
            html=body.html,
            sender_name=body.sender_name,
            reply_to=body.reply_to,
        )
        if not principal.is_admin:
            await transactions.writing(lambda tx: self._count(tx, principal, letter))
        await self.mailer.send(transactions, letter)
        return Sent()

    async def remove_expired(self, tx: WritingTransaction) -> None:
        """Forget codes and links whose time has long been over."""
        await self.codes.remove_expired(tx)

    async def _must_be_able(self, tx: WritingTransaction) -> None:
        try:
            await self.mailer.must_be_able(tx)
        except EmailProviderNotConfigured as failure:
            raise MailNeededForVerification from failure

    async def _count(self, tx: WritingTransaction, principal: Principal, letter: Letter) -> None:
        """Count every recipient, so that one signed-up user makes no mailing list; a refused letter is not counted."""
        name = f"mail-by:{principal.key}"
        resets_at = tx.now + timedelta(seconds=self.settings.window)
        for _ in (*letter.to, *letter.cc, *letter.bcc):
            counts = await queries.count_failure(tx, [name], resets_at)
            refusal = rules.exceeds(counts, {name: self.settings.raw_recipients}, tx.now)
            if refusal is not None:
                raise refusal


def _addresses(given: str | list[str] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    return (given.strip(),) if isinstance(given, str) else tuple(each.strip() for each in given)
