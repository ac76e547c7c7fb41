"""Whether it is the owner who asks for what cannot be undone."""

from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil

from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.errors import TooManyRequests
from headwater.kernel.principal import Principal
from headwater.platform.identity import queries, rules
from headwater.platform.identity.errors import PasswordNeeded, UserNotFound, WrongPassword
from headwater.platform.identity.models import Account, IdentitySettings
from headwater.platform.identity.passwords import Passwords
from headwater.platform.identity.throttle import Throttle


@dataclass(frozen=True)
class Proof:
    """Asks for the password, unless the session is so young that it stands for it.

    An access token alone, found in a log or on an unlocked screen, must not be able to end or take over an account.
    """

    settings: IdentitySettings
    passwords: Passwords
    throttle: Throttle

    async def demand(
        self, transactions: Transactions, principal: Principal, password: str | None, address: str
    ) -> Account:
        """The caller's account. Guesses here count as guesses at the door.

        Raises `PasswordNeeded`, `WrongPassword`, `TooManyRequests` and `UserNotFound`.
        """
        if password is None:
            return await transactions.reading(lambda tx: self._trust_session(tx, principal))
        return await self._compare(transactions, principal, password, address)

    async def _trust_session(self, tx: ReadingTransaction, principal: Principal) -> Account:
        account = await _account_of(tx, principal)
        began = await self._begin_of(tx, principal)
        if not rules.is_fresh(began, tx.now, self.settings.fresh_session) and not _has_nothing_else(principal):
            raise PasswordNeeded(minutes=ceil(self.settings.fresh_session / 60))
        return account

    async def _begin_of(self, tx: ReadingTransaction, principal: Principal) -> datetime | None:
        """When the caller last proved who he is: to us, or to the issuer of his token."""
        session_id = rules.uuid_of(principal.session_id)
        if session_id is not None:
            return await queries.find_session_start(tx, session_id, rules.user_id_of(principal))
        if "external_sub" not in principal.claims:
            return None
        proved = principal.claims.get("auth_time", principal.claims.get("iat"))
        return datetime.fromtimestamp(proved, UTC) if isinstance(proved, int | float) else None

    async def _compare(self, transactions: Transactions, principal: Principal, password: str, address: str) -> Account:
        async def admit(tx: ReadingTransaction) -> Account:
            account = await _account_of(tx, principal)
            await self.throttle.check(tx, self.throttle.attempt_at(account, address))
            return account

        account = await transactions.reading(admit)
        proven = await self.passwords.prove(account, password)
        attempt = self.throttle.attempt_at(account, address)

        async def settle(tx: WritingTransaction) -> TooManyRequests | WrongPassword | None:
            if proven is None:
                return await self.throttle.count(tx, attempt) or WrongPassword()
            await self.throttle.succeed(tx, attempt)
            return None

        refusal = await transactions.writing(settle)
        if refusal is not None:
            raise refusal
        return account


async def _account_of(tx: ReadingTransaction, principal: Principal) -> Account:
    account = await queries.find_account_of(tx, rules.user_id_of(principal))
    if account is None:
        raise UserNotFound
    return account


def _has_nothing_else(principal: Principal) -> bool:
    """Whether the caller has no way to sign in again, as anonymous users have none."""
    return principal.claims.get("is_anonymous") is True
