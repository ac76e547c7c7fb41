"""What can be done with notices."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from headwater.kernel.database import ReadingTransaction, WritingTransaction
from headwater.kernel.errors import NotAUser
from headwater.kernel.principal import Principal
from headwater.platform.notifications import queries
from headwater.platform.notifications.errors import NoticeNotFound
from headwater.platform.notifications.events import NoticeAdded
from headwater.platform.notifications.models import (
    NewNotice,
    Notice,
    NoticeId,
    NoticePage,
    Notices,
    NotificationSettings,
    Read,
)


@dataclass(frozen=True)
class Inbox:
    """The verbs of the inbox; `add_notice` is for the apps."""

    settings: NotificationSettings

    async def add_notice(self, tx: WritingTransaction, notice: NewNotice) -> UUID | None:
        """Write a notice with whatever else the transaction does; the user's sockets hear of it after its commit.

        None where he was told of the same `source` before.
        """
        notice_id = await queries.add_notice(tx, notice)
        if notice_id is not None:
            tx.emit(
                NoticeAdded(
                    notice_id=notice_id,
                    user_id=notice.user_id,
                    kind=notice.kind,
                    title=notice.title,
                    body=notice.body,
                    details=notice.details,
                )
            )
        return notice_id

    async def list_notices(self, tx: ReadingTransaction, principal: Principal, body: NoticePage) -> Notices:
        """The caller's notices, the newest first."""
        user_id = _user_of(principal)
        notices = await queries.list_notices(tx, user_id, body.before, body.limit, unread=body.unread)
        return Notices(notices=notices, unread=await queries.count_unread(tx, user_id))

    async def read_notice(self, tx: WritingTransaction, principal: Principal, body: NoticeId) -> Notice:
        """One of the caller's notices is read; once more changes nothing. Raises `NoticeNotFound`."""
        notice = await queries.read_one(tx, _user_of(principal), body.id)
        if notice is None:
            raise NoticeNotFound
        return notice

    async def read_all(self, tx: WritingTransaction, principal: Principal, _body: None) -> Read:
        """All of the caller's notices are read."""
        return Read(read=await queries.read_all(tx, _user_of(principal)))

    async def remove_old(self, tx: WritingTransaction) -> None:
        """Forget what is older than the settings keep; for a timer."""
        await queries.remove_old(tx, tx.now - timedelta(days=self.settings.keep_days))


def _user_of(principal: Principal) -> UUID:
    try:
        return UUID(principal.id or "")
    except ValueError as failure:
        raise NotAUser from failure
