"""A change of address, which both addresses confirm."""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from html import escape

from headwater.kernel.database import Transactions, WritingTransaction
from headwater.kernel.errors import Refusal
from headwater.kernel.jobs import JobRun
from headwater.kernel.mail import Letter, Mailer, MailRefused
from headwater.kernel.models import AuditEntry, JobCall
from headwater.kernel.principal import Principal
from headwater.kernel.vault import Vault
from headwater.platform.identity import queries, rules
from headwater.platform.identity.codes import new_code, sealed
from headwater.platform.identity.errors import NoEmailChange, WrongEmailCode
from headwater.platform.identity.events import EmailChanged
from headwater.platform.identity.models import (
    Done,
    EmailChange,
    EmailChangeCodes,
    EmailChangeRequest,
    EmailChangeState,
    EmailChangeToSend,
    IdentitySettings,
)
from headwater.platform.identity.operations.known import must_find_user
from headwater.platform.identity.operations.proof import Proof
from headwater.platform.identity.sessions import Outcome, SessionKeeper
from headwater.platform.identity.throttle import Throttle

SEND_CODES = "identity.send_email_change"
_ATTEMPTS = 5
_REQUESTS = 5
_WINDOW = 900.0
_SUBJECT = "Confirm the change of your e-mail address"
_LETTER = (
    "<p>Somebody who is signed in to your account asked to use {new} for it.</p>"
    "<p>Your code: <strong>{code}</strong></p>"
    "<p>If that was not you, do nothing and change your password.</p>"
)


@dataclass(frozen=True)
class EmailChanges:
    """The verbs of a change of address.

    Codes go to the address of today and to the new one, and only with both is it changed: a stolen session alone takes
    no account over, and nobody enters an address that is not his. Whether the new one is somebody's here is told to
    nobody: then its letter is not written, and the change never comes about. Whoever takes an address, through any
    door, ends the changes that others had asked for (migration 0005).
    """

    settings: IdentitySettings
    mailer: Mailer
    vault: Vault
    throttle: Throttle
    sessions: SessionKeeper
    proof: Proof

    async def request_email_change(
        self, transactions: Transactions, principal: Principal, body: EmailChangeRequest
    ) -> Done:
        """Let letters be written to both addresses.

        Raises `PasswordNeeded`, `WrongPassword`, `TooManyRequests`, `InvalidInput` and `EmailProviderNotConfigured`.
        """
        new_email = rules.normal_email(body.new_email)
        account = await self.proof.demand(transactions, principal, body.password, body.address)

        async def keep(tx: WritingTransaction) -> Refusal | None:
            await self.mailer.must_be_able(tx)
            refusal = await self.throttle.spend(tx, f"email-change:{account.id}", _REQUESTS, _WINDOW)
            if refusal is not None:
                return refusal
            expires_at = tx.now + timedelta(seconds=self.settings.email_change_lifetime)
            await queries.put_email_change(tx, account.id, new_email, expires_at, has_none=account.email is None)
            tx.enqueue(JobCall(job=SEND_CODES, arguments=EmailChangeToSend(user_id=account.id)))
            tx.audit(AuditEntry(action="EMAIL_CHANGE_REQUESTED", module="identity", details={"user": account.id}))
            return None

        refusal = await transactions.writing(keep)
        if refusal is not None:
            raise refusal
        return Done(message="Letters with codes are on their way to both addresses")

    async def send_codes(self, transactions: Transactions, run: JobRun) -> None:
        """Write the letters of a change; one that its server refuses for good is not tried again."""
        assert isinstance(run.arguments, EmailChangeToSend)  # noqa: S101 - for the type checker: the job declares it
        user_id = run.arguments.user_id

        async def prepare(tx: WritingTransaction) -> list[Letter]:
            change = await queries.lock_email_change(tx, user_id)
            if change is None:
                return []
            current_code, next_code = new_code(), new_code()
            hashes = self._hash(change, "current", current_code), self._hash(change, "new", next_code)
            await queries.put_email_codes(tx, user_id, *hashes)
            user = await must_find_user(tx, user_id)
            holder = await queries.find_account(tx, change.new_email)
            sent = [] if user.email is None else [(user.email, current_code)]
            sent += [] if holder is not None and holder.id != user_id else [(change.new_email, next_code)]
            return [_letter(f"{run.id}-{place}", to, change.new_email, code) for place, (to, code) in enumerate(sent)]

        for letter in await transactions.writing(prepare):
            try:
                await self.mailer.send(transactions, letter)
            except MailRefused:
                continue  # the mailer has told it, and the other letter may arrive

    async def confirm_email_change(
        self, transactions: Transactions, principal: Principal, body: EmailChangeCodes
    ) -> EmailChangeState:
        """Show codes, together or one after the other; with both the address changes and other sessions end.

        Of several who want the same address the first has it, and to the others no change is waiting any more, as if
        its time were over. Raises `NoEmailChange` and `WrongEmailCode`; after five wrong ones the change must be asked
        for again. Raises `EmailExists` where somebody takes the address in this very moment.
        """
        user_id = rules.user_id_of(principal)
        shown = {"current": body.current_code, "new": body.new_code}

        async def settle(tx: WritingTransaction) -> tuple[Outcome, EmailChangeState | None]:
            await queries.lock_rivals(tx, user_id)
            change = await queries.lock_email_change(tx, user_id)
            if change is None or change.attempts >= _ATTEMPTS:
                return Outcome(refusal=NoEmailChange()), None
            stored = {"current": change.current_code, "new": change.new_code}
            right = {
                name: code is not None and self._is_right(change, name, stored[name], code)
                for name, code in shown.items()
            }
            wrong = [name for name, code in shown.items() if code is not None and not right[name]]
            await queries.confirm_email_change(
                tx, user_id, current=right["current"], new=right["new"], wrong=int(bool(wrong))
            )
            if wrong:
                return Outcome(refusal=WrongEmailCode(field=f"{wrong[0]}Code")), None
            state = EmailChangeState(
                new_email=change.new_email,
                current_confirmed=change.current_confirmed or right["current"],
                new_confirmed=change.new_confirmed or right["new"],
                changed=False,
            )
            if not (state.current_confirmed and state.new_confirmed):
                return Outcome(), state
            return await self._change(tx, principal, change)

        outcome, state = await transactions.writing(settle)
        await self.sessions.finish(outcome)
        assert state is not None  # noqa: S101 - for the type checker: finish has raised the refusal
        return state

    async def _change(
        self, tx: WritingTransaction, principal: Principal, change: EmailChange
    ) -> tuple[Outcome, EmailChangeState]:
        await queries.put_email(tx, change.user_id, change.new_email)
        await queries.remove_email_change(tx, change.user_id)
        ended = await queries.remove_sessions_of(tx, [change.user_id], rules.uuid_of(principal.session_id))
        tx.emit(EmailChanged(user_id=change.user_id, email=change.new_email))
        tx.audit(AuditEntry(action="EMAIL_CHANGED", module="identity", details={"user": change.user_id}))
        state = EmailChangeState(new_email=change.new_email, current_confirmed=True, new_confirmed=True, changed=True)
        return Outcome(ended=tuple(ended)), state

    def _is_right(self, change: EmailChange, name: str, stored: bytes | None, shown: str) -> bool:
        return stored is not None and hmac.compare_digest(stored, self._hash(change, name, shown.strip()))

    def _hash(self, change: EmailChange, name: str, code: str) -> bytes:
        return sealed(self.vault.derive("identity:email-changes"), change.user_id, change.new_email, name, code)


def _letter(letter_id: str, to: str, new_email: str, code: str) -> Letter:
    return Letter(id=letter_id, to=(to,), subject=_SUBJECT, html=_LETTER.format(new=escape(new_email), code=code))
