"""What the admin can do with users."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from headwater.kernel.cache import Cache
from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.errors import InvalidInput
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import Principal
from headwater.platform.identity import queries, rules
from headwater.platform.identity.bans import Bans
from headwater.platform.identity.errors import UserNotFound
from headwater.platform.identity.events import EmailChanged, ProfileChanged, UserBannedUntil, UserRemoved
from headwater.platform.identity.models import (
    Ban,
    Pagination,
    Profile,
    ProfileChange,
    Removed,
    User,
    UserChange,
    UserId,
    UserIds,
    UserPage,
    Users,
)
from headwater.platform.identity.operations.known import PROFILES, forget_profile, must_find_user
from headwater.platform.identity.passwords import Passwords
from headwater.platform.identity.policy import Policy
from headwater.platform.identity.sessions import Outcome, SessionKeeper

FOR_GOOD = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class Accounts:
    """The verbs that concern users: shown to everyone, and cared for by the admin."""

    policy: Policy
    passwords: Passwords
    sessions: SessionKeeper
    bans: Bans
    cache: Cache

    async def find_profile(self, transactions: Transactions, _principal: Principal, body: UserId) -> Profile:
        """What everyone may see of a user, remembered for a while; raises `UserNotFound`."""

        async def load() -> Profile | None:
            return await transactions.reading(lambda tx: queries.find_profile(tx, body.user_id))

        profile = await self.cache.through(PROFILES, str(body.user_id), load)
        if profile is None:
            raise UserNotFound
        return profile

    async def update_profile(self, tx: WritingTransaction, principal: Principal, body: ProfileChange) -> Profile:
        """Lay fields over the caller's profile; raises `UserNotFound`, `ProfileTooLarge`."""
        profile = await queries.update_profile(tx, rules.user_id_of(principal), body.profile)
        if profile is None:
            raise UserNotFound
        rules.must_be_small_enough(profile.profile or {})
        forget_profile(tx, profile.id)
        tx.emit(ProfileChanged(user_id=profile.id))
        return profile

    async def list_users(self, tx: ReadingTransaction, _principal: Principal, body: UserPage) -> Users:
        """A page of accounts, newest first."""
        users, total = await queries.list_users(tx, body.search.strip(), body.limit, body.offset)
        return Users(users=users, pagination=Pagination(offset=body.offset, limit=body.limit, total=total))

    async def find_user(self, tx: ReadingTransaction, _principal: Principal, body: UserId) -> User:
        """An account; raises `UserNotFound`."""
        return await must_find_user(tx, body.user_id)

    async def update_user(self, transactions: Transactions, _principal: Principal, body: UserChange) -> User:
        """Change what is told of a user; with a new password his sessions end.

        Raises `UserNotFound`, `EmailExists`, `WeakPassword` and `BreachedPassword`.
        """
        email = None if body.email is None else rules.normal_email(body.email)
        hashed = None
        if body.password is not None:
            hashed = await self.passwords.accept(body.password, self.policy.current.password_rules)

        async def change(tx: WritingTransaction) -> tuple[User, Outcome]:
            before = await must_find_user(tx, body.user_id)
            if not await queries.update_user(tx, body.user_id, email, body):
                raise UserNotFound
            outcome = Outcome()
            if hashed is not None:
                await queries.put_password(tx, body.user_id, hashed)
                outcome = Outcome(ended=tuple(await queries.remove_sessions_of(tx, [body.user_id])))
            if body.profile is not None:
                forget_profile(tx, body.user_id)
                tx.emit(ProfileChanged(user_id=body.user_id))
            if email is not None and email != before.email:
                tx.emit(EmailChanged(user_id=body.user_id, email=email))
            changed = [name for name in ("email", "password", "email_verified") if getattr(body, name) is not None]
            details = {"user": body.user_id, "changed": changed}
            tx.audit(AuditEntry(action="USER_CHANGED", module="identity", details=details))
            return await must_find_user(tx, body.user_id), outcome

        user, outcome = await transactions.writing(change)
        await self.sessions.finish(outcome)
        return user

    async def ban_user(self, transactions: Transactions, _principal: Principal, body: Ban) -> User:
        """Keep a user out until a moment: his sessions end, and no token stands for him on any node.

        Raises `UserNotFound`, and `InvalidInput` for a moment that is over.
        """

        async def ban(tx: WritingTransaction) -> tuple[User, Outcome]:
            until = body.until or FOR_GOOD
            if until <= tx.now:
                raise InvalidInput(reason="until: must lie in the future")
            await self._put_ban(tx, body.user_id, until, body.reason)
            ended = await queries.remove_sessions_of(tx, [body.user_id])
            return await must_find_user(tx, body.user_id), Outcome(ended=tuple(ended), shut_out=(body.user_id,))

        user, outcome = await transactions.writing(ban)
        self.bans.note(str(body.user_id), (body.until or FOR_GOOD).timestamp())
        await self.sessions.finish(outcome)
        return user

    async def lift_ban(self, transactions: Transactions, _principal: Principal, body: UserId) -> User:
        """Let a user in again; raises `UserNotFound`."""

        async def lift(tx: WritingTransaction) -> User:
            await self._put_ban(tx, body.user_id, None, None)
            return await must_find_user(tx, body.user_id)

        user = await transactions.writing(lift)
        self.bans.note(str(body.user_id), 0)
        return user

    async def remove_user(self, transactions: Transactions, principal: Principal, body: UserId) -> Removed:
        """Remove one account; raises `UserNotFound` and `AccountReferredTo`."""
        removed = await self.remove_users(transactions, principal, UserIds(user_ids=[body.user_id]))
        if not removed.deleted_count:
            raise UserNotFound
        return removed

    async def remove_users(self, transactions: Transactions, _principal: Principal, body: UserIds) -> Removed:
        """Remove accounts with their sessions and all that refers to them; raises `AccountReferredTo`."""

        async def remove(tx: WritingTransaction) -> tuple[list[UUID], Outcome]:
            removed, outcome = await remove_accounts(tx, body.user_ids)
            tx.audit(AuditEntry(action="USERS_REMOVED", module="identity", details={"users": removed}))
            return removed, outcome

        removed, outcome = await transactions.writing(remove)
        for user_id in removed:
            self.bans.note_gone(str(user_id))
        await self.sessions.finish(outcome)
        return Removed(message="Users deleted successfully", deleted_count=len(removed))

    async def _put_ban(self, tx: WritingTransaction, user_id: UUID, until: datetime | None, reason: str | None) -> None:
        if not await queries.put_ban(tx, user_id, until, reason):
            raise UserNotFound
        told = None if until is None else until.isoformat()
        tx.emit(UserBannedUntil(user_id=user_id, until=told))
        details = {"user": user_id, "until": told, "reason": reason}
        tx.audit(AuditEntry(action="USER_BANNED" if until else "USER_BAN_LIFTED", module="identity", details=details))


async def remove_accounts(tx: WritingTransaction, user_ids: list[UUID]) -> tuple[list[UUID], Outcome]:
    """Remove accounts with everything that refers to them, and tell of each; raises `AccountReferredTo`."""
    ended = await queries.remove_sessions_of(tx, user_ids)
    await queries.remove_failures_of(tx, user_ids)
    removed = await queries.remove_users(tx, user_ids)
    for user_id in removed:
        forget_profile(tx, user_id)
        tx.emit(UserRemoved(user_id=user_id))
    return removed, Outcome(ended=tuple(ended), shut_out=tuple(removed))
