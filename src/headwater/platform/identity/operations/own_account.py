"""What one can do with one's own account."""

from dataclasses import dataclass

from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import Principal
from headwater.platform.identity import queries, rules
from headwater.platform.identity.bans import Bans
from headwater.platform.identity.errors import UserNotFound, WrongPassword
from headwater.platform.identity.models import (
    Account,
    AccountExport,
    AccountRemoval,
    Done,
    PasswordChange,
)
from headwater.platform.identity.operations.known import must_find_user
from headwater.platform.identity.operations.proof import Proof
from headwater.platform.identity.operations.users import remove_accounts
from headwater.platform.identity.passwords import Passwords
from headwater.platform.identity.policy import Policy
from headwater.platform.identity.sessions import Outcome, SessionKeeper
from headwater.platform.identity.throttle import Attempt, Throttle


@dataclass(frozen=True)
class OwnAccount:
    """The verbs of an account's owner: another password, everything we hold of him, the end."""

    policy: Policy
    passwords: Passwords
    throttle: Throttle
    sessions: SessionKeeper
    bans: Bans
    proof: Proof

    async def change_password(self, transactions: Transactions, principal: Principal, body: PasswordChange) -> Done:
        """Give the caller a new password and end his other sessions.

        Raises `WeakPassword`, `BreachedPassword`, `WrongPassword` and `TooManyRequests`: guesses here count as guesses
        at the door.
        """
        user_id = rules.user_id_of(principal)
        rules.must_be_strong_enough(body.new_password, self.policy.current.password_rules)

        async def admit(tx: ReadingTransaction) -> tuple[Account, Attempt]:
            account = await queries.find_account_of(tx, user_id)
            if account is None:
                raise UserNotFound
            attempt = self.throttle.attempt_at(account, body.address)
            await self.throttle.check(tx, attempt)
            return account, attempt

        account, attempt = await transactions.reading(admit)
        proven = await self.passwords.prove(account, body.current_password)
        hashed = None
        if proven is not None:
            hashed = await self.passwords.accept(body.new_password, self.policy.current.password_rules)

        async def settle(tx: WritingTransaction) -> Outcome:
            if proven is None or hashed is None or await queries.lock_account(tx, user_id) != proven:
                return Outcome(refusal=await self.throttle.count(tx, attempt) or WrongPassword())
            await self.throttle.succeed(tx, attempt)
            await queries.put_password(tx, user_id, hashed)
            tx.audit(AuditEntry(action="PASSWORD_CHANGED", module="identity", details={"user": str(user_id)}))
            spared = rules.uuid_of(principal.session_id)
            return Outcome(ended=tuple(await queries.remove_sessions_of(tx, [user_id], spared)))

        await self.sessions.finish(await transactions.writing(settle))
        return Done(message="Password changed")

    async def export_account(self, tx: ReadingTransaction, principal: Principal, _body: None) -> AccountExport:
        """Everything identity holds about the caller, except what would let someone in; raises `UserNotFound`."""
        user_id, current = rules.user_id_of(principal), rules.uuid_of(principal.session_id)
        user = await must_find_user(tx, user_id)
        return AccountExport(
            exported_at=tx.now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            user=user,
            providers=await queries.list_providers(tx, user_id),
            sessions=await queries.list_sessions(tx, user_id, current),
            password_changed_at=await queries.find_password_change(tx, user_id),
            failed_sign_ins=0 if user.email is None else await queries.find_failures(tx, _counted_as(user.email)),
            pending_email_change=await queries.find_pending_email_change(tx, user_id),
        )

    async def remove_account(self, transactions: Transactions, principal: Principal, body: AccountRemoval) -> Done:
        """Remove the caller's account with everything that refers to it; other components hear of `UserRemoved`.

        Raises `PasswordNeeded`, `WrongPassword`, `TooManyRequests`, `UserNotFound` and `AccountReferredTo`.
        """
        account = await self.proof.demand(transactions, principal, body.password, body.address)

        async def remove(tx: WritingTransaction) -> Outcome:
            removed, outcome = await remove_accounts(tx, [account.id])
            if not removed:
                raise UserNotFound
            tx.audit(AuditEntry(action="ACCOUNT_REMOVED", module="identity", details={"user": account.id}))
            return outcome

        outcome = await transactions.writing(remove)
        self.bans.note_gone(str(account.id))
        await self.sessions.finish(outcome)
        return Done(message="Account deleted")


def _counted_as(email: str) -> str:
    """The name under which failed sign-ins of an address are counted; see `Throttle.attempt`."""
    return f"account:user:{email.lower()}"
