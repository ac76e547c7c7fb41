"""Where an account's owner, named or not, cares for it."""

from headwater.kernel.component import Access, Endpoint, FromAddress, Mode
from headwater.platform.identity.endpoints.accounts import DEVICE, session_reply
from headwater.platform.identity.models import (
    AccountExport,
    AccountRemoval,
    AnonymousSignIn,
    Done,
    EmailChangeCodes,
    EmailChangeRequest,
    EmailChangeState,
    EndedSessions,
    Session,
    Upgrade,
)
from headwater.platform.identity.operations import AnonymousUsers, EmailChanges, OwnAccount, Sessions

ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/auth/account/export",
        operation=OwnAccount.export_account,
        access=Access.USER,
        transaction=Mode.READING,
        result=AccountExport,
    ),
    Endpoint(
        method="DELETE",
        path="/api/auth/account",
        operation=OwnAccount.remove_account,
        access=Access.USER,
        transaction=Mode.NONE,
        body=AccountRemoval,
        inputs={"address": FromAddress()},
        result=Done,
    ),
    Endpoint(
        method="POST",
        path="/api/auth/email-change",
        operation=EmailChanges.request_email_change,
        access=Access.USER,
        transaction=Mode.NONE,
        body=EmailChangeRequest,
        inputs={"address": FromAddress()},
        status=202,
        result=Done,
    ),
    Endpoint(
        method="POST",
        path="/api/auth/email-change/confirm",
        operation=EmailChanges.confirm_email_change,
        access=Access.USER,
        transaction=Mode.NONE,
        body=EmailChangeCodes,
        result=EmailChangeState,
    ),
    Endpoint(
        method="DELETE",
        path="/api/auth/sessions",
        operation=Sessions.end_other_sessions,
        access=Access.USER,
        transaction=Mode.NONE,
        result=EndedSessions,
    ),
    Endpoint(
        method="POST",
        path="/api/auth/anonymous",
        operation=AnonymousUsers.sign_in_anonymously,
        access=Access.CALLER,
        transaction=Mode.NONE,
        body=AnonymousSignIn,
        inputs=DEVICE,
        result=Session,
        reply=session_reply,
    ),
    Endpoint(
        method="POST",
        path="/api/auth/anonymous/upgrade",
        operation=AnonymousUsers.upgrade,
        access=Access.USER,
        transaction=Mode.NONE,
        body=Upgrade,
        inputs=DEVICE,
        result=Session,
        reply=session_reply,
    ),
)
