"""Where users find what they were told."""

from headwater.kernel.component import Access, Endpoint, Mode
from headwater.platform.notifications.models import Notice, NoticeId, NoticePage, Notices, Read
from headwater.platform.notifications.operations import Inbox

ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/notifications",
        operation=Inbox.list_notices,
        access=Access.USER,
        transaction=Mode.READING,
        body=NoticePage,
        result=Notices,
    ),
    Endpoint(
        method="POST",
        path="/api/notifications/{id}/read",
        operation=Inbox.read_notice,
        access=Access.USER,
        transaction=Mode.WRITING,
        body=NoticeId,
        result=Notice,
    ),
    Endpoint(
        method="POST",
        path="/api/notifications/read",
        operation=Inbox.read_all,
        access=Access.USER,
        transaction=Mode.WRITING,
        result=Read,
    ),
)
