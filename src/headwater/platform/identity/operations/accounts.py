"""Who is asking, and how he comes in and goes out."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from headwater.kernel.bus import Revocations
from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.errors import InvalidAnonKey, InvalidApiKey, InvalidInput, InvalidToken, NotAUser
from headwater.kernel.ids import new_id
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import NOBODY, Kind, Principal
from headwater.kernel.tokens import Tokens
from headwater.platform.identity import queries, rules
from headwater.platform.identity.bans import Bans
from headwater.platform.identity.errors import (
    EmailExists,
    InvalidAdminCredentials,
    InvalidCredentials,
    NoRefreshToken,
    SignupDisabled,
    VerificationNeeded,
)
from headwater.platform.identity.events import UserCreated
from headwater.platform.identity.keys import ADMIN_PREFIX, ANON_PREFIX, KeyRing
from headwater.platform.identity.models import (
    Account,
    Admin,
    AdminLogin,
    AwaitsVerification,
    CodeToSend,
    CurrentAdmin,
    CurrentUser,
    IdentitySettings,
    Login,
    NewUser,
    Presented,
    SessionKind,
    SignedIn,
    SignedOut,
)
from headwater.platform.identity.operations.known import must_find_user
from headwater.platform.identity.operations.letters import Letters
from headwater.platform.identity.operations.one_time import OneTimeCodes
from headwater.platform.identity.outsiders import Outsiders
from headwater.platform.identity.passwords import Passwords
from headwater.platform.identity.policy import Policy
from headwater.platform.identity.sessions import Outcome, SessionKeeper
from headwater.platform.identity.throttle import Throttle

_LOCAL_ADMIN = "local:"
Beside = Callable[[WritingTransaction, UUID], Awaitable[object]]
"""What an app does in the transaction that makes an account, with the new user's id."""


@dataclass(frozen=True)
class Identity:
    """The verbs of identity; passwords are hashed and tokens signed while no connection is held.

    What a refused caller has caused, a counted failure or an ended session, is committed before he is refused.
    """

    settings: IdentitySettings
    tokens: Tokens
    passwords: Passwords
    throttle: Throttle
    sessions: SessionKeeper
    keys: KeyRing
    bans: Bans
    outsiders: Outsiders
    policy: Policy
    letters: Letters
    one_time: OneTimeCodes
    revocations: Revocations

    async def warm(self, transactions: Transactions) -> None:
        """Before the first request: the keys exist and are known, and so are the sessions that ended.

        Raises `WeakSecret` for a configured password or key that could be guessed, and `BreachedListUnusable`.
        """
        if self.settings.admin_password is not None:
            rules.must_be_safe_admin_password(self.settings.admin_password)
        self.passwords.must_be_usable()
        self.keys.listen(transactions)
        self.bans.listen(transactions)
        await self.sessions.warm(transactions)  # which hears by now, and so do the others, who listened before
        await self.keys.warm(transactions)
        await self.policy.warm(transactions)
        await self.bans.warm(transactions)

    async def authenticate(self, headers: Mapping[str, str], *, patient: bool = True) -> Principal:
        """Whom the credentials in these headers stand for; see `recognise`.

        A token that is not known yet may be another issuer's, or signed with a key that another node has just made:
        only then is more asked than memory. Raises `OutsiderNotAdmitted` too.
        """
        if patient and self.revocations.in_doubt:  # it was paused, and what was told meanwhile is about to be heard
            await self.revocations.catch_up()
        shown, api_key = headers.get("authorization"), headers.get("x-api-key")
        try:
            return self.recognise(shown, api_key)
        except InvalidToken:
            token = _bearer(shown)
            if token is None:
                raise
            if self.outsiders.issued(token):
                return self._unless_banned(await self.outsiders.admit(token))
            if not self.tokens.lacks_key_of(token) or not await self.keys.catch_up():
                raise
            return self.recognise(shown, api_key)

    def recognise(self, authorization: str | None, api_key: str | None = None) -> Principal:
        """Whom credentials stand for, from memory alone; `NOBODY` where there are none.

        Header `x-api-key` wins; otherwise the shape of the Bearer's text decides, and what fails by its own shape is
        not tried by another. Raises `InvalidApiKey`, `InvalidAnonKey` and `InvalidToken`.
        """
        if api_key:
            return self._holder_of_key(api_key, Kind.ADMIN)
        shown = _bearer(authorization)
        if shown is None:
            return NOBODY
        if shown.startswith(ADMIN_PREFIX):
            return self._holder_of_key(shown, Kind.ADMIN)
        if shown.startswith(ANON_PREFIX):
            return self._holder_of_key(shown, Kind.ANON)
        principal = self.tokens.principal(shown)
        if principal.session_id is not None and self.sessions.has_ended(principal.session_id):
            raise InvalidToken
        return self._unless_banned(principal)

    async def sign_up(
        self,
        transactions: Transactions,
        principal: Principal,
        body: NewUser,
        *,
        beside: Beside | None = None,
        token_lifetime: float | None = None,
    ) -> SignedIn | AwaitsVerification:
        """Make an account and begin its first session; the admin, who signs others up, gets no lasting one.

        An app that keeps something for each of its users writes that `beside` the account, in the same transaction.
        With `token_lifetime`, in seconds, the session is one access token that is good for so long.
        Where addresses must be verified there is no session yet, but a letter. Raises `SignupDisabled`,
        `WeakPassword`, `BreachedPassword`, `EmailExists`, `RedirectNeeded`, `RedirectNotAllowed`, and
        `VerificationMailNotDelivered` or `VerificationMailPostponed` after the account was made.
        """
        config = self.policy.current
        if config.disable_signup and not principal.is_admin:
            raise SignupDisabled
        email = rules.normal_email(body.email)
        verified = body.auto_confirm and principal.is_admin
        awaited = config.require_email_verification and not verified
        if awaited:
            self.letters.must_lead_somewhere("VERIFY_EMAIL", body.redirect_to)
        hashed = await self.passwords.accept(body.password, config.password_rules)
        profile: dict[str, object] = {} if body.name is None else {"name": body.name}

        async def keep(tx: WritingTransaction) -> Outcome:
            user_id = new_id()
            if not await queries.add_user(tx, user_id, email, verified=verified, profile=profile, hashed=hashed):
                raise EmailExists
            tx.emit(UserCreated(user_id=user_id, email=email))
            if beside is not None:
                await beside(tx, user_id)
            if awaited:
                return Outcome()
            user = await must_find_user(tx, user_id)
            lasting = token_lifetime is None and not principal.is_admin
            return Outcome(
                grant=await self.sessions.begin(tx, user, body.device, lasting=lasting, token_lifetime=token_lifetime)
            )

        outcome = await transactions.writing(keep)
        if awaited:
            asked = CodeToSend(email=email, purpose="VERIFY_EMAIL", redirect_to=body.redirect_to)
            return await self.letters.greet(transactions, asked, body.address)
        return await self.sessions.signed_in(outcome, new=True)

    async def sign_in(
        self, transactions: Transactions, _principal: Principal, body: Login, *, token_lifetime: float | None = None
    ) -> SignedIn:
        """Begin a session for an address and its password, or the code from a letter; see `OneTimeCodes.sign_in`.

        With `token_lifetime`, in seconds, a password's session is one access token that is good for so long.
        Raises `VerificationNeeded`, `InvalidCredentials`, `UserBanned` and `TooManyRequests`.
        An address without an account takes the same steps and the same time.
        """
        if body.method == "otp":
            return await self.one_time.sign_in(transactions, body)
        if body.password is None:
            raise InvalidInput(reason="password: Required")
        email = rules.normal_email(body.email)
        attempt = self.throttle.attempt(f"user:{email}", body.address)

        async def admit(tx: ReadingTransaction) -> Account | None:
            await self.throttle.check(tx, attempt)
            return await queries.find_account(tx, email)

        account = await transactions.reading(admit)
        proven = await self.passwords.prove(account, body.password)
        renewed = await self.passwords.renew(proven, body.password)

        async def settle(tx: WritingTransaction) -> Outcome:
            if proven is None or await queries.lock_account(tx, proven.id) != proven:
                return Outcome(refusal=await self.throttle.count(tx, attempt) or InvalidCredentials())
            await self.throttle.succeed(tx, attempt)
            if renewed is not None:
                await queries.put_password(tx, proven.id, renewed)
            user = await must_find_user(tx, proven.id)
            if self.policy.current.require_email_verification and not user.email_verified:
                return Outcome(refusal=VerificationNeeded())
            lasting = token_lifetime is None
            return Outcome(
                grant=await self.sessions.begin(tx, user, body.device, lasting=lasting, token_lifetime=token_lifetime)
            )

        return await self.sessions.signed_in(await transactions.writing(settle))

    async def refresh(self, transactions: Transactions, _principal: Principal, body: Presented) -> SignedIn:
        """Continue a user's session; raises `NoSession`, `InvalidCsrfToken`, `OriginNotAllowed`, `NoRefreshToken`."""
        return await self._proceed(transactions, "user", body)

    async def sign_out(self, transactions: Transactions, principal: Principal, body: Presented) -> SignedOut:
        """End the session that is shown, and the one whose token asks; raises `InvalidCsrfToken`, `OriginNotAllowed`.

        Where nothing good is shown, nothing is left to end, and that is no failure.
        """
        return await self._end(transactions, "user", principal if principal.kind is Kind.USER else NOBODY, body)

    async def find_current_user(self, tx: ReadingTransaction, principal: Principal, _body: None) -> CurrentUser:
        """The signed-in user; raises `UserNotFound` for one of another issuer."""
        return CurrentUser(user=await must_find_user(tx, rules.user_id_of(principal)))

    async def sign_in_admin(self, transactions: Transactions, _principal: Principal, body: AdminLogin) -> SignedIn:
        """Begin a session of the configured admin; raises `InvalidAdminCredentials` and `TooManyRequests`."""
        attempt = self.throttle.attempt(f"admin:{body.username}", body.address)
        good = self.passwords.are_admins(body.username, body.password)
        admin = Admin(sub=_LOCAL_ADMIN + body.username)

        async def settle(tx: WritingTransaction) -> Outcome:
            await self.throttle.check(tx, attempt)
            if not good:
                return Outcome(refusal=await self.throttle.count(tx, attempt) or InvalidAdminCredentials())
            await self.throttle.succeed(tx, attempt)
            tx.audit(AuditEntry(action="ADMIN_SIGNED_IN", module="identity", details={"admin": admin.sub}))
            return Outcome(grant=await self.sessions.begin(tx, admin, body.device))

        return await self.sessions.signed_in(await transactions.writing(settle))

    async def refresh_admin(self, transactions: Transactions, _principal: Principal, body: Presented) -> SignedIn:
        """Continue an admin's session; see `refresh`."""
        return await self._proceed(transactions, "admin", body)

    async def sign_out_admin(self, transactions: Transactions, principal: Principal, body: Presented) -> SignedOut:
        """End an admin's session; see `sign_out`."""
        return await self._end(transactions, "admin", principal if principal.is_admin else NOBODY, body)

    async def find_current_admin(self, _tx: Transactions, principal: Principal, _body: None) -> CurrentAdmin:
        """The signed-in admin; raises `NotAUser` for a key, which is nobody's session."""
        if principal.id is None:
            raise NotAUser
        return CurrentAdmin(admin=Admin(sub=principal.id))

    async def remove_expired(self, tx: WritingTransaction) -> None:
        """Forget sessions, refresh tokens and counted failures whose time is over."""
        await queries.remove_expired(tx)

    def _unless_banned(self, principal: Principal) -> Principal:
        if self.bans.holds(principal.id):
            raise InvalidToken
        return principal

    def _holder_of_key(self, key: str, kind: Kind) -> Principal:
        principal = self.keys.find(key, kind)
        if principal is None:
            raise InvalidApiKey if kind is Kind.ADMIN else InvalidAnonKey
        return principal

    async def _proceed(self, transactions: Transactions, kind: SessionKind, body: Presented) -> SignedIn:
        if body.by_cookie:
            rules.must_be_allowed_origin(body.origin, body.host, self.settings.allowed_origins)
        elif body.written is None:
            raise NoRefreshToken
        return await self.sessions.signed_in(
            await transactions.writing(lambda tx: self.sessions.proceed(tx, kind, body))
        )

    async def _end(
        self, transactions: Transactions, kind: SessionKind, principal: Principal, body: Presented
    ) -> SignedOut:
        if body.by_cookie and body.cookie:
            rules.must_be_allowed_origin(body.origin, body.host, self.settings.allowed_origins)
        asking = rules.uuid_of(principal.session_id)

        async def settle(tx: WritingTransaction) -> Outcome:
            outcome = await self.sessions.end_shown(tx, kind, body)
            if outcome.refusal is not None or asking is None:
                return outcome
            return Outcome(ended=(*outcome.ended, *await queries.remove_session(tx, asking)))

        await self.sessions.finish(await transactions.writing(settle))
        return SignedOut(kind=kind, by_cookie=body.by_cookie)


def _bearer(authorization: str | None) -> str | None:
    """What a header `Authorization: Bearer …` shows."""
    if not authorization or authorization[:7].lower() != "bearer ":
        return None
    return authorization[7:].strip()
