"""Who reads the letters of identity in a test: one process's verbs of mail, and the letters it has sent."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from headwater.kernel.jobs import JobRun
from headwater.kernel.mail import ReceivedLetter, list_letters
from headwater.kernel.principal import NOBODY
from headwater.platform.identity.models import (
    Addressed,
    AuthConfig,
    ConfigChange,
    EmailVerification,
    LinkToken,
    PasswordReset,
    ResetCode,
    SignedIn,
)
from headwater.platform.identity.operations import Configuration, Mailing, Verification
from tests.platform.identity.conftest import VAULT, Process

HOME = "192.0.2.7"
ASKS = {
    "verification": Verification.ask_for_verification,
    "reset": Verification.ask_for_reset,
    "otp": Verification.ask_for_code,
}


@dataclass
class Postbox:
    """Short ways to the verbs, and to the letters in the development mailbox."""

    process: Process

    @property
    def verification(self) -> Verification:
        return self.process.parts.find(Verification)

    @property
    def mailing(self) -> Mailing:
        return self.process.parts.find(Mailing)

    async def say(self, **changes: Any) -> AuthConfig:
        """Change the configuration."""
        change = self.process.parts.find(Configuration).change_config
        return await change(self.process.transactions, NOBODY, ConfigChange(**changes))

    async def ask(self, what: str, email: str = "a@example.com", address: str = HOME, **more: Any) -> None:
        """Ask for a letter, and let the job write it."""
        await self.ask_only(what, email, address, **more)
        await self.work()

    async def ask_only(self, what: str, email: str = "a@example.com", address: str = HOME, **more: Any) -> object:
        """Ask for a letter."""
        body = Addressed(email=email, address=address, **more)
        return await ASKS[what](self.verification, self.process.transactions, NOBODY, body)

    async def work(self) -> None:
        """Do the jobs that wait."""
        calls, self.process.effects.jobs = self.process.effects.jobs, []
        for number, call in enumerate(calls):
            run = JobRun(id=f"job-{number}", attempt=1, arguments=call.arguments)
            await self.verification.send_code(self.process.transactions, run)

    async def letters(self) -> list[ReceivedLetter]:
        """Every letter, the oldest first."""
        return await self.process.database.reading(lambda tx: list_letters(tx, VAULT))

    async def code(self) -> str:
        """The code in the newest letter."""
        return re.findall(r"\b\d{6}\b", (await self.letters())[-1].text)[-1]

    async def link(self) -> str:
        """The link in the newest letter."""
        return re.findall(r"https?://\S+?(?=[\s)\"]|$)", (await self.letters())[-1].text)[-1]

    async def token(self) -> str:
        """The token of the link in the newest letter."""
        return dict(parse_qsl(urlsplit(await self.link()).query))["token"]

    async def verify(self, otp: str, email: str = "a@example.com", address: str = HOME) -> SignedIn:
        """Show a code that verifies an address."""
        body = EmailVerification(email=email, otp=otp, client_type="mobile", address=address)
        return await self.verification.verify_email(self.process.transactions, NOBODY, body)

    async def sign_in(self, otp: str, email: str = "a@example.com", **more: Any) -> SignedIn:
        """Show a code to sign in."""
        return await self.process.sign_in(email, method="otp", otp=otp, **{"address": HOME, **more})

    async def exchange(self, code: str, email: str = "a@example.com") -> str:
        """A token for a code."""
        body = ResetCode(email=email, code=code, address=HOME)
        return (await self.verification.exchange_reset_code(self.process.transactions, NOBODY, body)).token

    async def reset(self, token: str, password: str = "secret 2", address: str = HOME) -> None:
        """Set a new password."""
        body = PasswordReset(new_password=password, otp=token, address=address)
        await self.verification.reset_password(self.process.transactions, NOBODY, body)

    async def follow(self, page: str, token: str) -> tuple[str, dict[str, str]]:
        """Follow a link; where it leads, and what is told there."""
        verb = {"verify": Verification.follow_verification_link, "reset": Verification.follow_reset_link}[page]
        landing = await verb(self.verification, self.process.transactions, NOBODY, LinkToken(token=token))
        parts = urlsplit(landing.url)
        return f"{parts.scheme}://{parts.netloc}{parts.path}", dict(parse_qsl(parts.query))
