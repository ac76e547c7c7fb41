"""Users who do not say who they are, until they do."""

from dataclasses import dataclass
from datetime import timedelta

from headwater.kernel.database import Transactions, WritingTransaction
from headwater.kernel.ids import new_id
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import Principal
from headwater.platform.identity import queries, rules
from headwater.platform.identity.errors import AccountReferredTo, AnonymousNotAllowed, NotAnonymous
from headwater.platform.identity.events import UserCreated, UserUpgraded
from headwater.platform.identity.models import (
    AnonymousSignIn,
    AwaitsVerification,
    CodeToSend,
    IdentitySettings,
    SignedIn,
    Upgrade,
)
from headwater.platform.identity.operations.known import forget_profile, must_find_user
from headwater.platform.identity.operations.letters import Letters
from headwater.platform.identity.operations.users import remove_accounts
from headwater.platform.identity.passwords import Passwords
from headwater.platform.identity.policy import Policy
from headwater.platform.identity.sessions import Outcome, SessionKeeper
from headwater.platform.identity.throttle import Throttle

_HOUR = 3600.0
_AT_ONCE = 500


@dataclass(frozen=True)
class AnonymousUsers:
    """The verbs of who has an account and no name; his token says `is_anonymous`, for policies to tell him apart."""

    settings: IdentitySettings
    policy: Policy
    passwords: Passwords
    throttle: Throttle
    sessions: SessionKeeper
    letters: Letters

    async def sign_in_anonymously(
        self, transactions: Transactions, _principal: Principal, body: AnonymousSignIn
    ) -> SignedIn:
        """Make an account that belongs to whoever holds its session, and nobody else can come back to.

        Raises `AnonymousNotAllowed`, and `TooManyRequests` for a network that made too many within an hour.
        """
        if not self.settings.allow_anonymous:
            raise AnonymousNotAllowed
        allowed, network = self.settings.anonymous_per_address, f"anonymous:{rules.network_of(body.address)}"

        async def keep(tx: WritingTransaction) -> Outcome:
            refusal = await self.throttle.spend(tx, network, allowed, _HOUR)
            if refusal is not None:
                return Outcome(refusal=refusal)
            user_id = new_id()
            await queries.add_user(tx, user_id, None, profile=body.profile, anonymous=True)
            tx.emit(UserCreated(user_id=user_id, email=None))
            return Outcome(grant=await self.sessions.begin(tx, await must_find_user(tx, user_id), body.device))

        return await self.sessions.signed_in(await transactions.writing(keep), new=True)

    async def upgrade(
        self, transactions: Transactions, principal: Principal, body: Upgrade
    ) -> SignedIn | AwaitsVerification:
        """Give the caller's anonymous account an address and a password; its id and all that is his stay.

        A new session takes the place of the old ones, whose tokens still say that he is anonymous; where addresses
        must be verified it begins once this one is, as after `sign_up`. Raises `NotAnonymous`, `EmailExists`,
        `WeakPassword`, `BreachedPassword`, and what `sign_up` raises of letters.
        """
        user_id = rules.user_id_of(principal)
        if principal.claims.get("is_anonymous") is not True:
            raise NotAnonymous
        email = rules.normal_email(body.email)
        awaited = self.policy.current.require_email_verification
        if awaited:
            self.letters.must_lead_somewhere("VERIFY_EMAIL", body.redirect_to)
        hashed = await self.passwords.accept(body.password, self.policy.current.password_rules)

        async def settle(tx: WritingTransaction) -> Outcome:
            if not await queries.upgrade_user(tx, user_id, email, body.name):
                raise NotAnonymous
            await queries.put_password(tx, user_id, hashed)
            forget_profile(tx, user_id)
            tx.emit(UserUpgraded(user_id=user_id, email=email))
            tx.audit(AuditEntry(action="USER_UPGRADED", module="identity", details={"user": user_id}))
            ended = await queries.remove_sessions_of(tx, [user_id])
            if awaited:
                return Outcome(ended=tuple(ended))
            grant = await self.sessions.begin(tx, await must_find_user(tx, user_id), body.device)
            return Outcome(grant=grant, ended=tuple(ended))

        outcome = await transactions.writing(settle)
        if awaited:
            await self.sessions.finish(outcome)
            asked = CodeToSend(email=email, purpose="VERIFY_EMAIL", redirect_to=body.redirect_to)
            return await self.letters.greet(transactions, asked, body.address)
        return await self.sessions.signed_in(outcome, new=True)

    async def remove_idle(self, tx: WritingTransaction) -> None:
        """Remove accounts that nobody has used for as long as the settings say; those that something holds on to stay.

        At most `_AT_ONCE` at a time: the timer comes again.
        """
        days = self.settings.anonymous_keep_days
        if days is None:
            return
        for user_id in await queries.list_idle_anonymous(tx, tx.now - timedelta(days=days), _AT_ONCE):
            await queries.begin_part(tx)
            try:
                await remove_accounts(tx, [user_id])
            except AccountReferredTo:
                await queries.undo_part(tx)
            else:
                await queries.keep_part(tx)
