"""How people come in here, as the admin sees and changes it."""

from dataclasses import dataclass

import msgspec

from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.mail import EmailProviderNotConfigured, Mailer
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import Principal
from headwater.platform.identity import queries, redirects
from headwater.platform.identity.errors import VerificationNeedsMail
from headwater.platform.identity.models import AuthConfig, ConfigChange, PublicConfig
from headwater.platform.identity.policy import Policy


@dataclass(frozen=True)
class Configuration:
    """The verbs of the configuration; reads come from memory."""

    policy: Policy
    mailer: Mailer

    async def warm_config(self, transactions: Transactions) -> int:
        """Know the configuration as it is now, also where a change of it was not heard."""
        await self.policy.load(transactions)
        return 1

    async def show_public_config(
        self, _tx: Transactions | ReadingTransaction, _principal: Principal, _body: None
    ) -> PublicConfig:
        """What a sign-in page must know."""
        return self.policy.current.public

    async def show_config(self, _tx: Transactions, _principal: Principal, _body: None) -> AuthConfig:
        """All of it, for the admin."""
        return self.policy.current

    async def change_config(self, transactions: Transactions, _principal: Principal, body: ConfigChange) -> AuthConfig:
        """Say something anew; this process knows before it answers, the others hear.

        Raises `VerificationNeedsMail`, and `InvalidInput` for what is no pattern of URLs.
        """
        for place, pattern in enumerate(body.allowed_redirect_urls or ()):
            redirects.must_be_pattern(f"allowedRedirectUrls[{place}]", pattern)
        changes = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET}

        async def keep(tx: WritingTransaction) -> None:
            await queries.lock_config(tx)
            if body.require_email_verification is True:
                await self._must_be_able_to_verify(tx)
            await queries.change_config(tx, changes)
            tx.audit(AuditEntry(action="AUTH_CONFIG_CHANGED", module="identity", details=changes))

        await transactions.writing(keep)
        await self.policy.load(transactions)
        return self.policy.current

    async def _must_be_able_to_verify(self, tx: WritingTransaction) -> None:
        try:
            await self.mailer.must_be_able(tx)
        except EmailProviderNotConfigured as failure:
            raise VerificationNeedsMail from failure
