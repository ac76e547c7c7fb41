"""What can be done with accounts, sessions and keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.errors import InvalidAnonKey, InvalidApiKey, InvalidInput, InvalidToken, NotAUser
from headwater.kernel.ids import new_id
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import NOBODY, Kind, Principal
from headwater.kernel.tokens import Tokens
from headwater.platform.identity import queries, rules
from headwater.platform.identity.errors import (
    CodesNotAvailable,
    EmailExists,
    InvalidAdminCredentials,
    InvalidCredentials,
    NoRefreshToken,
    SessionNotFound,
    SignupDisabled,
    UserNotFound,
    WrongPassword,
)
from headwater.platform.identity.events import ProfileChanged, UserCreated, UserRemoved
from headwater.platform.identity.keys import ADMIN_PREFIX, ANON_PREFIX, KeyRing
from headwater.platform.identity.models import (
    Account,
    Admin,
    AdminLogin,
    AnonKey,
    AnonToken,
    ApiKey,
    CurrentAdmin,
    CurrentUser,
    Done,
    IdentitySettings,
    Login,
    NewUser,
    Pagination,
    PasswordChange,
    Presented,
    Profile,
    ProfileChange,
    ProjectKeys,
    PublicConfig,
    Removed,
    SessionId,
    SessionKind,
    Sessions,
    SignedIn,
    SignedOut,
    User,
    UserId,
    UserIds,
    UserPage,
    Users,
)
from headwater.platform.identity.passwords import Passwords
from headwater.platform.identity.sessions import Outcome, SessionKeeper
from headwater.platform.identity.throttle import Attempt, Throttle

_LOCAL_ADMIN = "local:"


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

    async def warm(self, transactions: Transactions) -> None:
        """Before the first request: the keys exist and are known, and so are the sessions that ended.

        Raises `WeakSecret` for a configured password or key that could be guessed.
        """
        if self.settings.admin_password is not None:
            rules.must_be_safe_admin_password(self.settings.admin_password)
        self.keys.listen(transactions)
        await self.sessions.warm(transactions)  # which hears by now, and so do the keys, who listened before
        await self.keys.warm(transactions)

    async def authenticate(self, headers: Mapping[str, str]) -> Principal:
        """Whom the credentials in these headers stand for; see `recognise`."""
        return self.recognise(headers.get("authorization"), headers.get("x-api-key"))

    def recognise(self, authorization: str | None, api_key: str | None = None) -> Principal:
        """Whom credentials stand for, from memory alone; `NOBODY` where there are none.

        Header `x-api-key` wins; otherwise the shape of the Bearer's text decides, and what fails by its own shape is
        not tried by another. Raises `InvalidApiKey`, `InvalidAnonKey` and `InvalidToken`.
        """
        if api_key:
            return self._holder_of_key(api_key, Kind.ADMIN)
        if not authorization or authorization[:7].lower() != "bearer ":
            return NOBODY
        shown = authorization[7:].strip()
        if shown.startswith(ADMIN_PREFIX):
            return self._holder_of_key(shown, Kind.ADMIN)
        if shown.startswith(ANON_PREFIX):
            return self._holder_of_key(shown, Kind.ANON)
        principal = self.tokens.principal(shown)
        if principal.session_id is not None and self.sessions.has_ended(principal.session_id):
            raise InvalidToken
        return principal

    async def sign_up(self, transactions: Transactions, principal: Principal, body: NewUser) -> SignedIn:
        """Make an account and begin its first session; the admin, who signs others up, gets no lasting one.

        Raises `SignupDisabled`, `WeakPassword` and `EmailExists`.
        """
        if self.settings.disable_signup and not principal.is_admin:
            raise SignupDisabled
        email = rules.normal_email(body.email)
        rules.must_be_strong_enough(body.password, self.settings.password_min_length)
        hashed = await self.passwords.hash(body.password)
        profile: dict[str, object] = {} if body.name is None else {"name": body.name}
        verified = body.auto_confirm and principal.is_admin

        async def keep(tx: WritingTransaction) -> Outcome:
            user_id = new_id()
            if not await queries.add_user(tx, user_id, email, verified=verified, profile=profile, hashed=hashed):
                raise EmailExists
            tx.emit(UserCreated(user_id=user_id, email=email))
            user = await _user(tx, user_id)
            return Outcome(grant=await self.sessions.begin(tx, user, body.device, lasting=not principal.is_admin))

        return self._signed_in(await transactions.writing(keep), new=True)

    async def sign_in(self, transactions: Transactions, _principal: Principal, body: Login) -> SignedIn:
        """Begin a session for an address and its password; raises `InvalidCredentials` and `TooManyRequests`.

        An address without an account takes the same steps and the same time.
        """
        if body.method == "otp":
            raise CodesNotAvailable
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
            return Outcome(grant=await self.sessions.begin(tx, await _user(tx, proven.id), body.device))

        return self._signed_in(await transactions.writing(settle))

    async def change_password(self, transactions: Transactions, principal: Principal, body: PasswordChange) -> Done:
        """Give the caller a new password and end his other sessions.

        Raises `WeakPassword`, `WrongPassword` and `TooManyRequests`: guesses here count as guesses at the door.
        """
        user_id = _user_id(principal)
        rules.must_be_strong_enough(body.new_password, self.settings.password_min_length)

        async def admit(tx: ReadingTransaction) -> tuple[Account, Attempt]:
            account = await queries.find_account_of(tx, user_id)
            if account is None:
                raise UserNotFound
            attempt = self.throttle.attempt(f"user:{account.email.lower()}", body.address)
            await self.throttle.check(tx, attempt)
            return account, attempt

        account, attempt = await transactions.reading(admit)
        proven = await self.passwords.prove(account, body.current_password)
        hashed = None if proven is None else await self.passwords.hash(body.new_password)

        async def settle(tx: WritingTransaction) -> Outcome:
            if proven is None or hashed is None or await queries.lock_account(tx, user_id) != proven:
                return Outcome(refusal=await self.throttle.count(tx, attempt) or WrongPassword())
            await self.throttle.succeed(tx, attempt)
            await queries.put_password(tx, user_id, hashed)
            tx.audit(AuditEntry(action="PASSWORD_CHANGED", module="identity", details={"user": str(user_id)}))
            spared = rules.uuid_of(principal.session_id)
            return Outcome(ended=tuple(await queries.remove_sessions_of(tx, [user_id], spared)))

        self._finish(await transactions.writing(settle))
        return Done(message="Password changed")

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
        return CurrentUser(user=await _user(tx, _user_id(principal)))

    async def list_sessions(self, tx: ReadingTransaction, principal: Principal, _body: None) -> Sessions:
        """The caller's living sessions."""
        current = rules.uuid_of(principal.session_id)
        return Sessions(sessions=await queries.list_sessions(tx, _user_id(principal), current))

    async def end_session(self, transactions: Transactions, principal: Principal, body: SessionId) -> Done:
        """End one of the caller's sessions; raises `SessionNotFound`."""
        user_id = _user_id(principal)
        ended = await transactions.writing(lambda tx: queries.remove_own_session(tx, body.id, user_id))
        if not ended:
            raise SessionNotFound
        self.sessions.note_ended(ended)
        return Done(message="Session ended")

    async def find_profile(self, tx: ReadingTransaction, _principal: Principal, body: UserId) -> Profile:
        """What everyone may see of a user; raises `UserNotFound`."""
        profile = await queries.find_profile(tx, body.user_id)
        if profile is None:
            raise UserNotFound
        return profile

    async def update_profile(self, tx: WritingTransaction, principal: Principal, body: ProfileChange) -> Profile:
        """Lay fields over the caller's profile."""
        profile = await queries.update_profile(tx, _user_id(principal), body.profile)
        if profile is None:
            raise UserNotFound
        tx.emit(ProfileChanged(user_id=profile.id))
        return profile

    async def show_public_config(self, _tx: Transactions, _principal: Principal, _body: None) -> PublicConfig:
        """What a sign-in page must know."""
        return PublicConfig(
            password_min_length=self.settings.password_min_length, disable_signup=self.settings.disable_signup
        )

    async def list_users(self, tx: ReadingTransaction, _principal: Principal, body: UserPage) -> Users:
        """A page of accounts, newest first."""
        users, total = await queries.list_users(tx, body.search.strip(), body.limit, body.offset)
        return Users(users=users, pagination=Pagination(offset=body.offset, limit=body.limit, total=total))

    async def find_user(self, tx: ReadingTransaction, _principal: Principal, body: UserId) -> User:
        """An account; raises `UserNotFound`."""
        return await _user(tx, body.user_id)

    async def remove_users(self, transactions: Transactions, _principal: Principal, body: UserIds) -> Removed:
        """Remove accounts with their sessions and all that refers to them."""

        async def remove(tx: WritingTransaction) -> tuple[list[UUID], Outcome]:
            ended = await queries.remove_sessions_of(tx, body.user_ids)
            removed = await queries.remove_users(tx, body.user_ids)
            for user_id in removed:
                tx.emit(UserRemoved(user_id=user_id))
            tx.audit(AuditEntry(action="USERS_REMOVED", module="identity", details={"users": removed}))
            return removed, Outcome(ended=tuple(ended))

        removed, outcome = await transactions.writing(remove)
        self._finish(outcome)
        return Removed(message="Users deleted successfully", deleted_count=len(removed))

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

        return self._signed_in(await transactions.writing(settle))

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

    async def read_keys(self, tx: ReadingTransaction) -> ProjectKeys:
        """The project's keys, for the command line; raises `KeysNotMade` before the first start."""
        return await self.keys.read(tx)

    async def show_api_key(self, tx: ReadingTransaction, _principal: Principal, _body: None) -> ApiKey:
        """The API key."""
        return ApiKey(api_key=(await self.keys.read(tx)).admin_key)

    async def show_anon_key(self, tx: ReadingTransaction, _principal: Principal, _body: None) -> AnonKey:
        """The anon key."""
        return AnonKey(anon_key=(await self.keys.read(tx)).anon_key)

    async def show_anon_token(self, tx: ReadingTransaction, _principal: Principal, _body: None) -> AnonToken:
        """The anon key, by the name of an older contract."""
        return AnonToken(access_token=(await self.keys.read(tx)).anon_key, message="Use the anon key as Bearer token")

    async def publish_keys(self, _tx: Transactions, _principal: Principal, _body: None) -> dict[str, object]:
        """The public halves of the signing keys (RFC 7517)."""
        return {**self.tokens.jwks()}

    async def remove_expired(self, tx: WritingTransaction) -> None:
        """Forget sessions, refresh tokens and counted failures whose time is over."""
        await queries.remove_expired(tx)

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
        return self._signed_in(await transactions.writing(lambda tx: self.sessions.proceed(tx, kind, body)))

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

        self._finish(await transactions.writing(settle))
        return SignedOut(kind=kind, by_cookie=body.by_cookie)

    def _finish(self, outcome: Outcome) -> None:
        """After commit: refuse the sessions that ended, then the caller if he is to be refused."""
        self.sessions.note_ended(outcome.ended)
        if outcome.refusal is not None:
            raise outcome.refusal

    def _signed_in(self, outcome: Outcome, *, new: bool = False) -> SignedIn:
        self._finish(outcome)
        assert outcome.grant is not None  # noqa: S101 - for the type checker: _finish has raised the refusal
        return SignedIn(grant=outcome.grant, access_token=self.sessions.access_token(outcome.grant), new=new)


async def _user(tx: ReadingTransaction, user_id: UUID) -> User:
    user = await queries.find_user(tx, user_id)
    if user is None:
        raise UserNotFound
    return user


def _user_id(principal: Principal) -> UUID:
    """The caller's id; raises `UserNotFound` for users of other issuers, who have no account here."""
    user_id = rules.uuid_of(principal.id)
    if user_id is None:
        raise UserNotFound
    return user_id
