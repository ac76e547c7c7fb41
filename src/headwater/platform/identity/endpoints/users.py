"""Where the admin cares for users and their sessions."""

from headwater.kernel.component import Access, Endpoint, Mode
from headwater.platform.identity.models import (
    Ban,
    Done,
    EndedSessions,
    Removed,
    SessionsOfUser,
    User,
    UserChange,
    UserId,
    UserSession,
)
from headwater.platform.identity.operations import Accounts, Sessions

USER = "/api/auth/users/{user_id}"

ENDPOINTS = (
    Endpoint(
        method="PATCH",
        path=USER,
        operation=Accounts.update_user,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=UserChange,
        result=User,
    ),
    Endpoint(
        method="DELETE",
        path=USER,
        operation=Accounts.remove_user,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=UserId,
        result=Removed,
    ),
    Endpoint(
        method="POST",
        path=f"{USER}/ban",
        operation=Accounts.ban_user,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=Ban,
        result=User,
    ),
    Endpoint(
        method="DELETE",
        path=f"{USER}/ban",
        operation=Accounts.lift_ban,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=UserId,
        result=User,
    ),
    Endpoint(
        method="GET",
        path=f"{USER}/sessions",
        operation=Sessions.list_sessions_of,
        access=Access.ADMIN,
        transaction=Mode.READING,
        body=UserId,
        result=SessionsOfUser,
    ),
    Endpoint(
        method="DELETE",
        path=f"{USER}/sessions",
        operation=Sessions.end_sessions_of,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=UserId,
        result=EndedSessions,
    ),
    Endpoint(
        method="DELETE",
        path=f"{USER}/sessions/{{id}}",
        operation=Sessions.end_session_of,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=UserSession,
        result=Done,
    ),
)
