"""Letters that carry a code or a link: asked for, counted, written."""

from dataclasses import dataclass
from datetime import timedelta

from headwater.kernel.database import Transactions, WritingTransaction
from headwater.kernel.errors import TooManyRequests
from headwater.kernel.ids import new_request_id
from headwater.kernel.mail import (
    EmailProviderNotConfigured,
    InvalidLetter,
    Letter,
    MailDelayed,
    Mailer,
    MailRefused,
)
from headwater.kernel.models import JobCall, PublicAddress
from headwater.platform.identity import queries, redirects, rules
from headwater.platform.identity.codes import Codes
from headwater.platform.identity.errors import (
    RedirectNeeded,
    VerificationMailNotDelivered,
    VerificationMailPostponed,
)
from headwater.platform.identity.models import (
    Addressed,
    AwaitsVerification,
    CodeToSend,
    Done,
    MailingSettings,
    Method,
    Purpose,
    Template,
    TemplateChange,
    TemplateType,
)
from headwater.platform.identity.policy import Policy
from headwater.platform.identity.templates import DEFAULTS, words_of

SEND_CODE = "identity.send_code"
_TEMPLATES: dict[tuple[Purpose, Method], TemplateType] = {
    ("VERIFY_EMAIL", "code"): "email-verification-code",
    ("VERIFY_EMAIL", "link"): "email-verification-link",
    ("RESET_PASSWORD", "code"): "reset-password-code",
    ("RESET_PASSWORD", "link"): "reset-password-link",
    ("SIGN_IN", "code"): "request-otp",
}
_PAGES: dict[Purpose, str] = {"VERIFY_EMAIL": "verify-link", "RESET_PASSWORD": "reset-password-link"}


@dataclass(frozen=True)
class Letters:
    """Writes to addresses that strangers can name, and tells nobody whether there is an account behind one.

    Who asks is answered once a job is queued, the same for every address; the job looks whose the address is, makes
    the code and sends it. So neither the answer nor its time depends on the account, and no queue ever holds a code.
    """

    settings: MailingSettings
    mailer: Mailer
    codes: Codes
    policy: Policy
    address: PublicAddress

    async def accept(self, transactions: Transactions, purpose: Purpose, body: Addressed) -> Done:
        """Let a letter be written, to whom it may concern.

        Raises `InvalidInput`, `RedirectNeeded`, `RedirectNotAllowed`, `EmailProviderNotConfigured` and
        `TooManyRequests`.
        """
        email = rules.normal_email(body.email)
        self.must_lead_somewhere(purpose, body.redirect_to)

        async def keep(tx: WritingTransaction) -> None:
            await self.mailer.must_be_able(tx)
            await self._count(tx, email, body.address)
            arguments = CodeToSend(email=email, purpose=purpose, redirect_to=body.redirect_to)
            tx.enqueue(JobCall(job=SEND_CODE, arguments=arguments))

        await transactions.writing(keep)
        return Done(message="If the address may have it, a letter is on its way")

    def must_lead_somewhere(self, purpose: Purpose, redirect_to: str | None) -> None:
        """Raises `RedirectNeeded` for a link without a redirect, `RedirectNotAllowed` for one to elsewhere."""
        if redirect_to is not None:
            redirects.must_be_allowed(redirect_to, self.policy.current.allowed_redirect_urls, self.address.url)
        elif self._method(purpose) == "link":
            raise RedirectNeeded

    async def greet(self, transactions: Transactions, asked: CodeToSend, address: str) -> AwaitsVerification:
        """Write to who has just signed up, and tell him if that fails.

        Raises `VerificationMailPostponed` and `VerificationMailNotDelivered`.
        """
        try:
            await transactions.writing(lambda tx: self._count(tx, asked.email, address))
            await self.deliver(transactions, asked, new_request_id())
        except TooManyRequests as refusal:
            raise VerificationMailPostponed(seconds=refusal.facts["seconds"], headers=refusal.headers) from refusal
        except (EmailProviderNotConfigured, InvalidLetter, MailDelayed, MailRefused) as refusal:
            raise VerificationMailNotDelivered from refusal
        return AwaitsVerification()

    async def deliver(self, transactions: Transactions, asked: CodeToSend, letter_id: str) -> None:
        """Make a code or a token, if the address may have it, and send it; raises what `Mailer.send` raises."""

        async def prepare(tx: WritingTransaction) -> Letter | None:
            if not await self._may_have(tx, asked):
                return None
            return await self._written(tx, asked, letter_id)

        letter = await transactions.writing(prepare)
        if letter is not None:
            await self.mailer.send(transactions, letter)

    async def _may_have(self, tx: WritingTransaction, asked: CodeToSend) -> bool:
        user_id = await queries.find_user_id(tx, asked.email)
        if user_id is None:
            return asked.purpose == "SIGN_IN" and not self.policy.current.disable_signup
        user = await queries.find_user(tx, user_id)
        return user is not None and not (asked.purpose == "VERIFY_EMAIL" and user.email_verified)

    async def _written(self, tx: WritingTransaction, asked: CodeToSend, letter_id: str) -> Letter:
        values = {"token": "", "link": "", "email": asked.email, "name": await self._name_of(tx, asked.email)}
        method = self._method(asked.purpose)
        if method == "link":
            lifetime = self.settings.link_lifetime
            fresh = await self.codes.issue_token(tx, asked.email, asked.purpose, asked.redirect_to, lifetime)
            page = _PAGES[asked.purpose]
            values["token"] = fresh.token
            values["link"] = f"{self.address.url}/api/auth/email/{page}?token={fresh.token}"
        else:
            values["token"] = await self.codes.issue_code(tx, asked.email, asked.purpose)
        kind = _TEMPLATES[asked.purpose, method]
        stored = await queries.list_templates(tx, [kind])
        words = words_of(_worded_as(stored[0]) if stored else DEFAULTS[kind], values)
        return Letter(id=letter_id, to=(asked.email,), subject=words.subject, html=words.html)

    async def _name_of(self, tx: WritingTransaction, email: str) -> str:
        """What the letter's reader is called, if we know him."""
        user_id = await queries.find_user_id(tx, email)
        profile = None if user_id is None else await queries.find_profile(tx, user_id)
        name = ((profile and profile.profile) or {}).get("name")
        return name[:100] if isinstance(name, str) else ""

    async def _count(self, tx: WritingTransaction, email: str, address: str) -> None:
        """Count a letter for the network that asks and the address that is to have it; a refused one is not counted.

        Raises `TooManyRequests`.
        """
        network = f"mail-network:{rules.network_of(address)}"
        await self._count_one(tx, network, self.settings.sends_per_network, self.settings.window)
        pause = await self.mailer.pause(tx)
        if pause:
            await self._count_one(tx, f"mail-to:{email}", 1, pause)

    async def _count_one(self, tx: WritingTransaction, name: str, allowed: int, seconds: float) -> None:
        counts = await queries.count_failure(tx, [name], tx.now + timedelta(seconds=seconds))
        refusal: TooManyRequests | None = rules.exceeds(counts, {name: allowed}, tx.now)
        if refusal is not None:
            raise refusal

    def _method(self, purpose: Purpose) -> Method:
        match purpose:
            case "VERIFY_EMAIL":
                return self.policy.current.verify_email_method
            case "RESET_PASSWORD":
                return self.policy.current.reset_password_method
            case "SIGN_IN":
                return "code"


def _worded_as(template: Template) -> TemplateChange:
    return TemplateChange(template_type=template.template_type, subject=template.subject, body_html=template.body_html)
