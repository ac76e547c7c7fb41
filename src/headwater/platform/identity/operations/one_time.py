"""Codes from a letter, shown again: tried at most so often, and good for a session."""

from dataclasses import dataclass

from headwater.kernel.database import Transactions, WritingTransaction
from headwater.kernel.errors import InvalidInput, Refusal
from headwater.kernel.ids import new_id
from headwater.kernel.models import AuditEntry
from headwater.platform.identity import queries, rules
from headwater.platform.identity.codes import Codes
from headwater.platform.identity.errors import InvalidCode, SignupDisabled
from headwater.platform.identity.events import UserCreated
from headwater.platform.identity.models import EndedSession, Login, MailingSettings, Purpose, SignedIn, User
from headwater.platform.identity.operations.known import must_find_user
from headwater.platform.identity.policy import Policy
from headwater.platform.identity.sessions import Outcome, SessionKeeper
from headwater.platform.identity.throttle import Attempt, Throttle


@dataclass(frozen=True)
class OneTimeCodes:
    """Wrong codes are counted for the code, the address and the network, and committed before the refusal leaves."""

    settings: MailingSettings
    codes: Codes
    throttle: Throttle
    sessions: SessionKeeper
    policy: Policy

    def attempt(self, email: str, address: str) -> Attempt:
        """A try of a code for an address, whether it has an account or not."""
        account, network = f"code:{email}", f"code-network:{rules.network_of(address)}"
        return Attempt(account, {account: self.settings.guesses, network: self.settings.guesses})

    def attempt_of_network(self, address: str) -> Attempt:
        """A try of a token, which is for no address in particular."""
        network = f"code-network:{rules.network_of(address)}"
        return Attempt(network, {network: self.settings.guesses})

    async def spend(
        self, tx: WritingTransaction, purpose: Purpose, email: str, shown: str, address: str
    ) -> Refusal | None:
        """Use a code up; the refusal, to be raised after commit, if it is not the one. Raises `TooManyRequests`."""
        attempt = self.attempt(email, address)
        await self.throttle.check(tx, attempt)
        if not await self.codes.spend_code(tx, email, purpose, shown):
            return await self.throttle.count(tx, attempt) or InvalidCode()
        await self.throttle.succeed(tx, attempt)
        return None

    async def sign_in(self, transactions: Transactions, body: Login) -> SignedIn:
        """Begin a session for whoever reads the letters of an address; an unknown one gets an account.

        Whoever made an account for this address without reading its letters is put out: his password and his sessions
        end. Raises `InvalidCode`, `SignupDisabled`, `UserBanned` and `TooManyRequests`.
        """
        if body.otp is None:
            raise InvalidInput(reason="otp: Required")
        email, otp = rules.normal_email(body.email), body.otp
        name = None if body.name is None else body.name.strip()[:100]

        async def settle(tx: WritingTransaction) -> Outcome:
            refusal = await self.spend(tx, "SIGN_IN", email, otp, body.address)
            if refusal is not None:
                return Outcome(refusal=refusal)
            user_id = await queries.lock_user_id(tx, email)
            ended: list[EndedSession] = []
            if user_id is None:
                user = await self._add(tx, email, name)
            else:
                user = await must_find_user(tx, user_id)
                if not user.email_verified:
                    ended = await self._put_out(tx, user)
                    user = await must_find_user(tx, user_id)
            return Outcome(grant=await self.sessions.begin(tx, user, body.device), ended=tuple(ended))

        return await self.sessions.signed_in(await transactions.writing(settle))

    async def _add(self, tx: WritingTransaction, email: str, name: str | None) -> User:
        if self.policy.current.disable_signup:
            raise SignupDisabled
        user_id = new_id()
        profile: dict[str, object] = {"name": name} if name else {}
        if not await queries.add_verified_user(tx, user_id, email, profile):
            raise InvalidCode  # somebody has signed up with it in this very moment: nothing is used up
        tx.emit(UserCreated(user_id=user_id, email=email))
        return await must_find_user(tx, user_id)

    async def _put_out(self, tx: WritingTransaction, user: User) -> list[EndedSession]:
        await queries.clear_password(tx, user.id)
        await queries.verify_email(tx, user.id)
        tx.audit(AuditEntry(action="EMAIL_VERIFIED", module="identity", details={"user": str(user.id), "by": "otp"}))
        return await queries.remove_sessions_of(tx, [user.id])
