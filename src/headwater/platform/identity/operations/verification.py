"""What whoever reads the letters of an address can do: verify it, and give its account a new password."""

from dataclasses import dataclass
from datetime import UTC

from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.errors import Refusal
from headwater.kernel.jobs import JobRun
from headwater.kernel.mail import MailRefused
from headwater.kernel.models import AuditEntry, PublicAddress
from headwater.kernel.principal import Principal
from headwater.platform.identity import queries, redirects, rules
from headwater.platform.identity.codes import Codes, FreshToken
from headwater.platform.identity.errors import InvalidCode, InvalidVerificationToken, RedirectNeeded
from headwater.platform.identity.models import (
    Addressed,
    CodeToSend,
    Done,
    EmailVerification,
    Landing,
    LinkToken,
    Message,
    PasswordReset,
    Purpose,
    ResetCode,
    ResetToken,
    SignedIn,
    StoredCode,
)
from headwater.platform.identity.operations.known import must_find_user
from headwater.platform.identity.operations.letters import Letters
from headwater.platform.identity.operations.one_time import OneTimeCodes
from headwater.platform.identity.passwords import Passwords
from headwater.platform.identity.policy import Policy
from headwater.platform.identity.sessions import Outcome, SessionKeeper
from headwater.platform.identity.throttle import Throttle

_TOO_LATE = "Invalid or expired link"


@dataclass(frozen=True)
class Verification:
    """The verbs of codes and links."""

    letters: Letters
    one_time: OneTimeCodes
    codes: Codes
    passwords: Passwords
    throttle: Throttle
    sessions: SessionKeeper
    policy: Policy
    address: PublicAddress

    async def ask_for_verification(self, transactions: Transactions, _principal: Principal, body: Addressed) -> Done:
        """Let a letter verify an address; see `Letters.accept`."""
        return await self.letters.accept(transactions, "VERIFY_EMAIL", body)

    async def ask_for_reset(self, transactions: Transactions, _principal: Principal, body: Addressed) -> Done:
        """Let a letter allow a new password; see `Letters.accept`."""
        return await self.letters.accept(transactions, "RESET_PASSWORD", body)

    async def ask_for_code(self, transactions: Transactions, _principal: Principal, body: Addressed) -> Done:
        """Let a letter hold a code to sign in with; see `Letters.accept`."""
        return await self.letters.accept(transactions, "SIGN_IN", body)

    async def send_code(self, transactions: Transactions, run: JobRun) -> None:
        """Write a letter that was asked for; one that its server refuses for good is not tried again."""
        assert isinstance(run.arguments, CodeToSend)  # noqa: S101 - for the type checker: the job declares it
        try:
            await self.letters.deliver(transactions, run.arguments, run.id)
        except MailRefused:
            return  # the mailer has told it

    async def verify_email(
        self, transactions: Transactions, _principal: Principal, body: EmailVerification
    ) -> SignedIn:
        """Begin a session of whoever shows the code from his letter; raises `InvalidCode`, `TooManyRequests`."""
        email = rules.normal_email(body.email)

        async def settle(tx: WritingTransaction) -> Outcome:
            refusal = await self.one_time.spend(tx, "VERIFY_EMAIL", email, body.otp, body.address)
            user_id = None if refusal is not None else await queries.lock_user_id(tx, email)
            if user_id is None:
                return Outcome(refusal=refusal or InvalidCode())
            await queries.verify_email(tx, user_id)
            return Outcome(grant=await self.sessions.begin(tx, await must_find_user(tx, user_id), body.device))

        return await self.sessions.signed_in(await transactions.writing(settle))

    async def follow_verification_link(
        self, transactions: Transactions, _principal: Principal, body: LinkToken
    ) -> Landing:
        """Verify the address whose letter held the link; where the browser goes on, told of success or failure.

        Raises `InvalidVerificationToken` and `RedirectNeeded` where no place is known to go on to.
        """

        async def settle(tx: WritingTransaction) -> tuple[StoredCode | None, bool]:
            stored = await self.codes.find_token(tx, "VERIFY_EMAIL", body.token)
            spent = None if stored is None else await self.codes.spend_token(tx, "VERIFY_EMAIL", body.token)
            user_id = None if spent is None else await queries.lock_user_id(tx, spent.email)
            if user_id is not None:
                await queries.verify_email(tx, user_id)
            return stored, user_id is not None

        stored, verified = await transactions.writing(settle)
        told = {"insforge_status": "success"} if verified else _failure()
        return Landing(url=self._onward(stored, insforge_type="verify_email", **told))

    async def look_at_verification_link(
        self, tx: ReadingTransaction, _principal: Principal, body: LinkToken
    ) -> Landing:
        """Where the browser would go on, for a HEAD: a mail scanner that looks at the link does not use it up.

        Raises as `follow_verification_link` does.
        """
        stored = await self.codes.find_token(tx, "VERIFY_EMAIL", body.token)
        live = stored is not None and self.codes.is_live(stored, tx.now)
        told = {"insforge_status": "success"} if live else _failure()
        return Landing(url=self._onward(stored, insforge_type="verify_email", **told))

    async def follow_reset_link(self, transactions: Transactions, _principal: Principal, body: LinkToken) -> Landing:
        """Where the browser goes on to ask for the new password, with the token that allows it.

        Nothing is used up, so a mail scanner that follows the link spoils nothing. Raises as the other link does.
        """
        purpose: Purpose = "RESET_PASSWORD"

        async def find(tx: ReadingTransaction) -> tuple[StoredCode | None, bool]:
            stored = await self.codes.find_token(tx, purpose, body.token)
            return stored, stored is not None and self.codes.is_live(stored, tx.now)

        stored, live = await transactions.reading(find)
        told = {"token": body.token, "insforge_status": "ready"} if live else _failure()
        return Landing(url=self._onward(stored, insforge_type="reset_password", **told))

    async def exchange_reset_code(
        self, transactions: Transactions, _principal: Principal, body: ResetCode
    ) -> ResetToken:
        """A token for a code, so that the code need not wait for the new password; raises `InvalidCode`."""
        email = rules.normal_email(body.email)
        lifetime = self.letters.settings.code_lifetime

        async def settle(tx: WritingTransaction) -> FreshToken | Refusal:
            refusal = await self.one_time.spend(tx, "RESET_PASSWORD", email, body.code, body.address)
            return refusal or await self.codes.issue_token(tx, email, "RESET_PASSWORD", None, lifetime)

        settled = await transactions.writing(settle)
        if isinstance(settled, Refusal):
            raise settled
        moment = settled.expires_at.astimezone(UTC).isoformat(timespec="milliseconds")
        return ResetToken(token=settled.token, expires_at=moment.replace("+00:00", "Z"))

    async def reset_password(self, transactions: Transactions, _principal: Principal, body: PasswordReset) -> Message:
        """Give the account of a token a new password; every session of it ends, for who asked may have lost control.

        Raises `InvalidVerificationToken`, `WeakPassword`, `BreachedPassword` and `TooManyRequests`; a password that is
        refused leaves the token good.
        """
        attempt = self.one_time.attempt_of_network(body.address)

        async def admit(tx: WritingTransaction) -> Refusal | None:
            await self.throttle.check(tx, attempt)
            stored = await self.codes.find_token(tx, "RESET_PASSWORD", body.otp)
            if stored is not None and self.codes.is_live(stored, tx.now):
                return None
            return await self.throttle.count(tx, attempt) or InvalidVerificationToken()

        refusal = await transactions.writing(admit)
        if refusal is not None:
            raise refusal
        hashed = await self.passwords.accept(body.new_password, self.policy.current.password_rules)

        async def settle(tx: WritingTransaction) -> Outcome:
            spent = await self.codes.spend_token(tx, "RESET_PASSWORD", body.otp)
            user_id = None if spent is None else await queries.lock_user_id(tx, spent.email)
            if spent is None or user_id is None:
                return Outcome(refusal=InvalidVerificationToken())
            await queries.put_password(tx, user_id, hashed)
            await queries.verify_email(tx, user_id)
            await queries.remove_failures(tx, f"account:user:{spent.email}")
            tx.audit(AuditEntry(action="PASSWORD_RESET", module="identity", details={"user": str(user_id)}))
            return Outcome(ended=tuple(await queries.remove_sessions_of(tx, [user_id])))

        await self.sessions.finish(await transactions.writing(settle))
        return Message(message="Password reset successfully")

    def _onward(self, stored: StoredCode | None, **parameters: str) -> str:
        if stored is None:
            raise InvalidVerificationToken
        if stored.redirect_to is None:
            raise RedirectNeeded
        redirects.must_be_allowed(
            stored.redirect_to, self.policy.current.allowed_redirect_urls, self.address.url
        )  # the list may have become shorter since
        return redirects.with_parameters(stored.redirect_to, **parameters)


def _failure() -> dict[str, str]:
    return {"insforge_status": "error", "insforge_error": _TOO_LATE}
