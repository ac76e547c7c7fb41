"""What can be done with sessions that have begun."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from headwater.kernel.cache import Cache
from headwater.kernel.clock import Clock
from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import Principal
from headwater.platform.identity import queries, rules
from headwater.platform.identity.errors import SessionNotFound
from headwater.platform.identity.models import (
    Done,
    EndedSession,
    EndedSessions,
    IdentitySettings,
    Profile,
    SessionId,
    SessionList,
    SessionsOfUser,
    UserId,
    UserSession,
)
from headwater.platform.identity.operations.known import PROFILES, must_find_user
from headwater.platform.identity.sessions import Outcome, SessionKeeper

_MOST_ACTIVE = 1000


@dataclass(frozen=True)
class Sessions:
    """The verbs that concern living sessions: one's own, and for the admin anybody's."""

    sessions: SessionKeeper
    settings: IdentitySettings
    clock: Clock
    cache: Cache

    async def warm_active(self, transactions: Transactions) -> int:
        """Load ahead what is shown of those who are here just now, the last thousand of them; how many.

        Who is here has used his refresh token within the lifetime of two access tokens.
        """
        unused = self.settings.refresh_lifetime - 2 * self.settings.access_lifetime
        since = self.clock.now() + timedelta(seconds=unused)
        active = await transactions.reading(lambda tx: queries.list_active_users(tx, since, _MOST_ACTIVE))

        async def load(names: Sequence[str]) -> dict[str, Profile]:
            asked = [UUID(name) for name in names]
            profiles = await transactions.reading(lambda tx: queries.list_profiles(tx, asked))
            return {str(profile.id): profile for profile in profiles}

        return await self.cache.refresh(PROFILES, [str(user_id) for user_id in active], load)

    async def list_sessions(self, tx: ReadingTransaction, principal: Principal, _body: None) -> SessionList:
        """The caller's living sessions."""
        current = rules.uuid_of(principal.session_id)
        return SessionList(sessions=await queries.list_sessions(tx, rules.user_id_of(principal), current))

    async def end_session(self, transactions: Transactions, principal: Principal, body: SessionId) -> Done:
        """End one of the caller's sessions; raises `SessionNotFound`."""
        return await self._end_one(transactions, rules.user_id_of(principal), body.id)

    async def end_other_sessions(self, transactions: Transactions, principal: Principal, _body: None) -> EndedSessions:
        """End every session of the caller but the one that asks."""
        user_id, spared = rules.user_id_of(principal), rules.uuid_of(principal.session_id)
        ended = await transactions.writing(lambda tx: queries.remove_sessions_of(tx, [user_id], spared))
        return await self._ended(ended)

    async def list_sessions_of(self, tx: ReadingTransaction, _principal: Principal, body: UserId) -> SessionsOfUser:
        """A user's living sessions; raises `UserNotFound`."""
        await must_find_user(tx, body.user_id)
        return SessionsOfUser(user_id=body.user_id, sessions=await queries.list_sessions(tx, body.user_id, None))

    async def end_session_of(self, transactions: Transactions, _principal: Principal, body: UserSession) -> Done:
        """End one of a user's sessions; raises `SessionNotFound`."""
        return await self._end_one(transactions, body.user_id, body.id)

    async def end_sessions_of(self, transactions: Transactions, _principal: Principal, body: UserId) -> EndedSessions:
        """End every session of a user; raises `UserNotFound`."""

        async def end(tx: WritingTransaction) -> list[EndedSession]:
            await must_find_user(tx, body.user_id)
            tx.audit(AuditEntry(action="SESSIONS_ENDED", module="identity", details={"user": body.user_id}))
            return await queries.remove_sessions_of(tx, [body.user_id])

        return await self._ended(await transactions.writing(end))

    async def _end_one(self, transactions: Transactions, user_id: UUID, session_id: UUID) -> Done:
        ended = await transactions.writing(lambda tx: queries.remove_own_session(tx, session_id, user_id))
        if not ended:
            raise SessionNotFound
        await self.sessions.finish(Outcome(ended=tuple(ended)))
        return Done(message="Session ended")

    async def _ended(self, ended: list[EndedSession]) -> EndedSessions:
        await self.sessions.finish(Outcome(ended=tuple(ended)))
        return EndedSessions(message="Sessions ended", ended_count=len(ended))
