"""What users are told, and when they have read it."""

from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Database
from headwater.kernel.errors import NotAUser
from headwater.kernel.principal import NOBODY, Principal
from headwater.platform.notifications import Inbox, NewNotice
from headwater.platform.notifications.errors import NoticeNotFound
from headwater.platform.notifications.events import NoticeAdded
from headwater.platform.notifications.models import NoticeId, NoticePage, Notices, NotificationSettings

INBOX = Inbox(NotificationSettings())


def _notice(user: Principal, title: str, **more: Any) -> NewNotice:
    return NewNotice(user_id=UUID(user.id), kind="test", title=title, **more)


async def _add(database: Database, notice: NewNotice) -> UUID | None:
    added, _ = await database.writing(lambda tx: INBOX.add_notice(tx, notice))
    return added


async def _listed(database: Database, user: Principal, **asked: Any) -> Notices:
    return await database.reading(lambda tx: INBOX.list_notices(tx, user, NoticePage(**asked)))


async def test_a_notice_is_kept_and_told_to_its_user_alone(
    database: Database, user: Principal, other_user: Principal
) -> None:
    notice = _notice(user, "Hello", body="there", details={"n": 1})
    added, effects = await database.writing(lambda tx: INBOX.add_notice(tx, notice))

    [told] = cast(list[NoticeAdded], effects.events)
    assert (told.notice_id, told.title, told.audience()) == (added, "Hello", (f"user:{user.id}",))
    listed = await _listed(database, user)
    assert [(one.id, one.title, one.body, one.details, one.read_at) for one in listed.notices] == [
        (added, "Hello", "there", {"n": 1}, None)
    ]
    assert listed.unread == 1
    assert await _listed(database, other_user) == Notices(notices=(), unread=0)


async def test_one_occasion_is_told_once(database: Database, user: Principal, other_user: Principal) -> None:
    assert await _add(database, _notice(user, "Won", source="season-1")) is not None
    repeated, effects = await database.writing(lambda tx: INBOX.add_notice(tx, _notice(user, "Won", source="season-1")))
    assert (repeated, effects.events) == (None, [])
    assert await _add(database, _notice(other_user, "Won", source="season-1")) is not None
    assert len((await _listed(database, user)).notices) == 1


async def test_what_is_read_stays_and_is_counted_no_more(
    database: Database, clock: DrivenClock, user: Principal, other_user: Principal
) -> None:
    first = await _add(database, _notice(user, "first"))
    clock.advance(60)
    await _add(database, _notice(user, "second"))
    assert first is not None
    read, _ = await database.writing(lambda tx: INBOX.read_notice(tx, user, NoticeId(id=first)))
    again, _ = await database.writing(lambda tx: INBOX.read_notice(tx, user, NoticeId(id=first)))
    assert read.read_at == again.read_at is not None

    assert [one.title for one in (await _listed(database, user)).notices] == ["second", "first"]
    assert [one.title for one in (await _listed(database, user, unread=True)).notices] == ["second"]
    page = await _listed(database, user, limit=1)
    assert [one.title for one in (await _listed(database, user, before=page.notices[0].id)).notices] == ["first"]
    with pytest.raises(NoticeNotFound):
        await database.writing(lambda tx: INBOX.read_notice(tx, other_user, NoticeId(id=first)))
    with pytest.raises(NoticeNotFound):
        await database.writing(lambda tx: INBOX.read_notice(tx, user, NoticeId(id=uuid4())))
    all_read, _ = await database.writing(lambda tx: INBOX.read_all(tx, user, None))
    assert (all_read.read, (await _listed(database, user)).unread) == (1, 0)


async def test_old_notices_are_forgotten(database: Database, clock: DrivenClock, user: Principal) -> None:
    await _add(database, _notice(user, "old"))
    clock.advance(89 * 24 * 3600)
    await _add(database, _notice(user, "new"))
    clock.advance(2 * 24 * 3600)
    await database.writing(INBOX.remove_old)
    assert [one.title for one in (await _listed(database, user)).notices] == ["new"]


async def test_who_is_nobody_has_no_inbox(database: Database) -> None:
    with pytest.raises(NotAUser):
        await _listed(database, NOBODY)
