"""Sessions: begun, continued by refresh tokens that rotate, ended on every process."""

import asyncio
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

import msgspec

from headwater.kernel.bus import Bus, Revocations, Revoked
from headwater.kernel.clock import Clock
from headwater.kernel.database import Transactions, WritingTransaction
from headwater.kernel.errors import DatabaseUnavailable, Refusal
from headwater.kernel.ids import new_id, new_request_id, new_secret
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import ADMIN_ROLE, USER_ROLE
from headwater.kernel.tokens import Tokens
from headwater.kernel.vault import Vault
from headwater.platform.identity import queries, rules
from headwater.platform.identity.errors import InvalidCsrfToken, NoSession, UserBanned
from headwater.platform.identity.models import (
    Admin,
    Device,
    EndedSession,
    Grant,
    IdentitySettings,
    Presented,
    SessionKind,
    ShownToken,
    SignedIn,
    User,
)
from headwater.platform.identity.rules import Verdict

CHANNEL = "headwater_session_ended"
REFRESH_PREFIX = "rt_"
_MARGIN = timedelta(seconds=60)
"""More than the leeway given to clocks, and than the time between a commit and the access token's making."""
_LONGEST_CHAIN = 1024
_ATTEMPTS_TO_HEAR = 50
_PATIENCE_TO_HEAR = 0.2


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a refresh token that was shown: a grant or a refusal, and the sessions that ended by it.

    `shut_out` are users for whom no token stands any more, not even of other issuers.
    """

    grant: Grant | None = None
    refusal: Refusal | None = None
    ended: tuple[EndedSession, ...] = ()
    shut_out: tuple[UUID, ...] = ()


class SessionKeeper:
    """Begins, continues and ends sessions, and knows which ended ones still have good access tokens about.

    A session is the family of its refresh tokens. Each is 256 random bits, stored as its SHA-256, and its successor is
    derived from it with a key of the vault (HMAC-SHA256): a client that never got the answer shows the old token
    again and is given the same successor, though no token is stored anywhere. Its holder gets it with a date, which
    nothing here relies on (decision 31).

    Ended sessions are rows, told by a trigger through NOTIFY in the transaction that ends them, so every process
    that hears Postgres refuses their tokens milliseconds after the commit; this process at once. One that could not
    hear reads the rows when it hears again. Whoever ends a session is answered when every live process knows.
    """

    def __init__(
        self,
        settings: IdentitySettings,
        clock: Clock,
        tokens: Tokens,
        vault: Vault,
        bus: Bus,
        revocations: Revocations,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._tokens = tokens
        self._bus = bus
        self._revocations = revocations
        self._refresh_key = vault.derive("identity:refresh")
        self._csrf_key = vault.derive("identity:csrf")
        self._ended: dict[str, float] = {}
        self._mark = new_request_id()
        self._heard_itself = asyncio.Event()

    async def warm(self, transactions: Transactions) -> None:
        """From now on know every session that ends, and those that ended."""

        async def load() -> None:
            self.note_ended(await transactions.reading(queries.list_ended_sessions))

        self._bus.listen_raw(CHANNEL, self._hear)
        self._bus.on_gap(load)
        await self._listen(transactions)
        await load()

    async def _listen(self, transactions: Transactions) -> None:
        """Return once this process hears the channel: what was told before that is in the table.

        Raises `DatabaseUnavailable` if it stays deaf.
        """
        for _ in range(_ATTEMPTS_TO_HEAR):
            await transactions.writing(lambda tx: queries.tell(tx, CHANNEL, self._mark))
            try:
                async with asyncio.timeout(_PATIENCE_TO_HEAR):
                    await self._heard_itself.wait()
            except TimeoutError:
                continue
            return
        raise DatabaseUnavailable

    def has_ended(self, session_id: str) -> bool:
        """Whether access tokens of this session are no longer good, although they have not expired."""
        return session_id in self._ended

    def note_ended(self, ended: Iterable[EndedSession]) -> None:
        """Refuse these sessions' access tokens from now on."""
        for session in ended:
            self._ended[session.session_id] = session.access_until
            self._tokens.forget_session(session.session_id)
        now = self._clock.timestamp()
        while self._ended and self._ended[oldest := next(iter(self._ended))] <= now:
            del self._ended[oldest]

    async def begin(
        self,
        tx: WritingTransaction,
        holder: User | Admin,
        device: Device,
        *,
        lasting: bool = True,
        token_lifetime: float | None = None,
    ) -> Grant:
        """A new session; without `lasting` it has no refresh token and ends with its access token.

        `token_lifetime`, in seconds, is how long its access tokens are good where that is not the settings' time.
        Every door leads through here, so it is here that a banned user is refused: raises `UserBanned`.
        """
        if isinstance(holder, User) and not await queries.may_begin_session(tx, holder.id):
            raise UserBanned
        session_id = new_id()
        token = new_secret(REFRESH_PREFIX) if lasting else None
        access_until = self._access_until(tx.now, token_lifetime)
        expires_at = self._expiry(tx.now) if lasting else access_until
        grant = Grant(
            session_id=session_id,
            holder=holder,
            client_type=device.client_type,
            csrf_token=self._csrf_token(session_id),
            refresh_token=None if token is None else dated_token(token, expires_at),
            token_lifetime=token_lifetime,
        )
        await queries.add_session(tx, grant, device, expires_at, access_until)
        if token is not None:
            await queries.add_refresh_token(tx, _hash(token), session_id, expires_at)
        return grant

    async def proceed(self, tx: WritingTransaction, kind: SessionKind, shown: Presented) -> Outcome:
        """What a session that is shown again deserves: a grant with the next refresh token, or a refusal.

        A refusal is to be raised after commit, because a reused token ends its session in this transaction.
        """
        token = _token(shown)
        found = await self._find(tx, kind, shown)
        if isinstance(found, Refusal):
            return Outcome(refusal=found)
        until = self._expiry(tx.now)
        match rules.judge_refresh(found, tx.now, self._settings.repeat_window):
            case Verdict.EXPIRED:
                return Outcome(refusal=_no_session(kind, shown))
            case Verdict.CURRENT:
                newest = self._successor(token)
                await queries.replace_refresh_token(tx, _hash(token), _hash(newest), found.session_id, until)
            case Verdict.REPEATED:
                newest = self._newest(token, found.current_hash)
                until = found.current_until or until
            case Verdict.REUSED:
                newest = None
        if newest is None:
            return await self._end_reused(tx, found, _no_session(kind, shown))
        await queries.touch_session(tx, found.session_id, self._expiry(tx.now), self._access_until(tx.now))
        holder = await _holder(tx, found)
        if holder is None:
            return Outcome(refusal=_no_session(kind, shown))
        return Outcome(grant=self._grant(found, shown, dated_token(newest, until), holder))

    async def end_shown(self, tx: WritingTransaction, kind: SessionKind, shown: Presented) -> Outcome:
        """End the session that is shown, if there is one; a refusal only for a cookie without its CSRF token."""
        found = await self._find(tx, kind, shown)
        if isinstance(found, Refusal):
            return Outcome(refusal=found if isinstance(found, InvalidCsrfToken) else None)
        return Outcome(ended=tuple(await queries.remove_session(tx, found.session_id)))

    def access_token(self, grant: Grant) -> str:
        """An access token of a session; to be signed after commit, because it takes a while."""
        claims: dict[str, object] = {"sid": str(grant.session_id), "aal": "aal1"}
        match grant.holder:
            case User(id=user_id, email=email, is_anonymous=anonymous):
                claims |= {"sub": str(user_id), "role": USER_ROLE, "is_anonymous": anonymous is True}
                if email is not None:
                    claims["email"] = email
            case Admin(sub=subject):
                claims |= {"sub": subject, "role": ADMIN_ROLE}
        return self._tokens.sign(claims, grant.token_lifetime or self._settings.access_lifetime)

    async def finish(self, outcome: Outcome) -> None:
        """After commit: every live process refuses the sessions that ended, then the caller if he is to be refused."""
        self.note_ended(outcome.ended)
        await self._revocations.tell(
            Revoked(
                sessions=tuple(session.session_id for session in outcome.ended),
                users=tuple(map(str, outcome.shut_out)),
            )
        )
        if outcome.refusal is not None:
            raise outcome.refusal

    async def signed_in(self, outcome: Outcome, *, new: bool = False) -> SignedIn:
        """After commit: what the holder of a grant is given; raises the refusal of who is to be refused."""
        await self.finish(outcome)
        assert outcome.grant is not None  # noqa: S101 - for the type checker: finish has raised the refusal
        return SignedIn(grant=outcome.grant, access_token=self.access_token(outcome.grant), new=new)

    async def _find(self, tx: WritingTransaction, kind: SessionKind, shown: Presented) -> ShownToken | Refusal:
        """The session behind what is shown; the CSRF token is checked before anything else is done with a cookie."""
        token = _token(shown)
        found = None if not token else await queries.lock_shown_token(tx, _hash(token))
        if found is None or found.kind != kind:
            return _no_session(kind, shown)
        if shown.by_cookie and not hmac.compare_digest(
            self._csrf_token(found.session_id).encode(), (shown.csrf or "").encode()
        ):
            return InvalidCsrfToken()
        return found

    async def _end_reused(self, tx: WritingTransaction, found: ShownToken, refusal: Refusal) -> Outcome:
        tx.audit(
            AuditEntry(
                action="REFRESH_TOKEN_REUSED",
                module="identity",
                details={"session": str(found.session_id), "subject": found.subject},
            )
        )
        return Outcome(refusal=refusal, ended=tuple(await queries.remove_session(tx, found.session_id)))

    def _grant(self, found: ShownToken, shown: Presented, token: str, holder: User | Admin) -> Grant:
        stored = "mobile" if found.client_type == "web" else found.client_type
        return Grant(
            session_id=found.session_id,
            holder=holder,
            client_type="web" if shown.by_cookie else stored,
            csrf_token=self._csrf_token(found.session_id),
            refresh_token=token,
        )

    def _hear(self, payload: str) -> None:
        if payload == self._mark:
            self._heard_itself.set()
        session_id, _, access_until = payload.partition(" ")
        if not access_until:
            return
        self.note_ended([EndedSession(session_id=session_id, access_until=float(access_until))])

    def _successor(self, token: str) -> str:
        return REFRESH_PREFIX + hmac.digest(self._refresh_key, token.encode(), "sha256").hex()

    def _newest(self, token: str, current_hash: bytes | None) -> str | None:
        """The token that is good now, from one of its predecessors; None if it is none."""
        for _ in range(_LONGEST_CHAIN):
            token = self._successor(token)
            if _hash(token) == current_hash:
                return token
        return None

    def _csrf_token(self, session_id: UUID) -> str:
        return hmac.digest(self._csrf_key, session_id.bytes, "sha256").hex()

    def _expiry(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self._settings.refresh_lifetime)

    def _access_until(self, now: datetime, lifetime: float | None = None) -> datetime:
        return now + timedelta(seconds=lifetime or self._settings.access_lifetime) + _MARGIN


def dated_token(token: str, expires_at: datetime) -> str:
    """A refresh token as its holder keeps it: after a dot the second it expires in, where a JWT has its claims.

    Servers that use `@insforge/sdk/ssr` read it there and keep their cookie for as long; without it their users were
    signed out whenever they closed the browser. It is a word to the holder, and nobody here believes it.
    """
    claims = msgspec.json.encode({"exp": int(expires_at.timestamp())})
    return f"{token}.{urlsafe_b64encode(claims).rstrip(b'=').decode()}"


def undated_token(shown: str) -> str:
    """The refresh token in what its holder shows."""
    return shown.partition(".")[0]


async def _holder(tx: WritingTransaction, found: ShownToken) -> User | Admin | None:
    return Admin(sub=found.subject) if found.user_id is None else await queries.find_user(tx, found.user_id)


def _no_session(kind: SessionKind, shown: Presented) -> NoSession:
    return NoSession(headers={"Set-Cookie": rules.session_cookie(kind, None)} if shown.by_cookie else None)


def _token(shown: Presented) -> str:
    return undated_token((shown.cookie if shown.by_cookie else shown.written) or "")


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
