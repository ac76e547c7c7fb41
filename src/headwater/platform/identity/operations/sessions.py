"""What can be done with sessions that have begun."""

from dataclasses import dataclass
from uuid import UUID

from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import Principal
from headwater.platform.identity import queries, rules
from headwater.platform.identity.errors import SessionNotFound
from headwater.platform.identity.models import (
    Done,
    EndedSession,
    EndedSessions,
    SessionId,
    SessionList,
    SessionsOfUser,
    UserId,
    UserSession,
)
from headwater.platform.identity.operations.known import must_find_user
from headwater.platform.identity.sessions import Outcome, SessionKeeper


@dataclass(frozen=True)
class Sessions:
    """The verbs that concern living sessions: one's own, and for the admin anybody's."""

    sessions: SessionKeeper

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
