"""Where identity is reached."""

from typing import cast

import msgspec

from headwater.kernel.clock import encode
from headwater.kernel.component import Access, Endpoint, FromAddress, FromCookie, FromHeader, Mode, Source
from headwater.kernel.models import Reply
from headwater.platform.identity import rules
from headwater.platform.identity.models import (
    AdminLogin,
    AnonKey,
    AnonToken,
    ApiKey,
    AwaitsVerification,
    CurrentAdmin,
    CurrentUser,
    Done,
    Login,
    NewUser,
    PasswordChange,
    Presented,
    Profile,
    ProfileChange,
    Removed,
    Session,
    SessionId,
    SessionKind,
    SessionList,
    SignedIn,
    SignedOut,
    User,
    UserId,
    UserIds,
    UserPage,
    Users,
)
from headwater.platform.identity.operations import Accounts, Identity, Keys, OwnAccount, Sessions

DEVICE: dict[str, Source] = {"address": FromAddress(), "agent": FromHeader("user-agent")}
_PUBLIC_FOR = "public, max-age=300"


def _shown(kind: SessionKind) -> dict[str, Source]:
    """How a session is shown again by a browser."""
    return {
        "cookie": FromCookie(rules.COOKIES[kind]),
        "csrf": FromHeader("x-csrf-token"),
        "origin": FromHeader("origin"),
        "host": FromHeader("host"),
    }


def session_reply(result: object) -> Reply:
    """A session as its client takes it: the refresh token in a cookie for a browser, in the body for others."""
    if isinstance(result, AwaitsVerification):
        return Reply(headers=(("Cache-Control", "no-store"),), body=encode(result))
    signed_in = cast("SignedIn", result)
    grant, holder = signed_in.grant, signed_in.grant.holder
    in_browser = grant.client_type == "web" and grant.refresh_token is not None
    session = Session(
        user=holder if isinstance(holder, User) else msgspec.UNSET,
        admin=msgspec.UNSET if isinstance(holder, User) else holder,
        access_token=signed_in.access_token,
        csrf_token=grant.csrf_token if in_browser else msgspec.UNSET,
        refresh_token=msgspec.UNSET if in_browser or grant.refresh_token is None else grant.refresh_token,
        require_email_verification=False if signed_in.new else msgspec.UNSET,
    )
    headers = (("Cache-Control", "no-store"),)
    if in_browser:
        headers = (*headers, ("Set-Cookie", rules.session_cookie(grant.kind, grant.refresh_token)))
    return Reply(headers=headers, body=encode(session))


def _signed_out(result: object) -> Reply:
    """A session that is over; a browser gives its cookie back."""
    signed_out = cast("SignedOut", result)
    cookie = (("Set-Cookie", rules.session_cookie(signed_out.kind, None)),) if signed_out.by_cookie else ()
    return Reply(headers=cookie, body=encode(Done(message="Logged out successfully")))


def _public_keys(result: object) -> Reply:
    """The key set, which others may keep for a while."""
    return Reply(headers=(("Cache-Control", _PUBLIC_FOR),), body=encode(result))


_ACCOUNTS = (
    Endpoint(
        method="POST",
        path="/api/auth/users",
        operation=Identity.sign_up,
        access=Access.CALLER,
        transaction=Mode.NONE,
        body=NewUser,
        inputs=DEVICE,
        result=Session,
        reply=session_reply,
    ),
    Endpoint(
        method="POST",
        path="/api/auth/password",
        operation=OwnAccount.change_password,
        access=Access.USER,
        transaction=Mode.NONE,
        body=PasswordChange,
        inputs={"address": FromAddress()},
        result=Done,
    ),
    Endpoint(
        method="GET",
        path="/api/auth/profiles/{user_id}",
        operation=Accounts.find_profile,
        access=Access.ANYONE,
        transaction=Mode.NONE,
        body=UserId,
        result=Profile,
    ),
    Endpoint(
        method="PATCH",
        path="/api/auth/profiles/current",
        operation=Accounts.update_profile,
        access=Access.USER,
        transaction=Mode.WRITING,
        body=ProfileChange,
        result=Profile,
    ),
    Endpoint(
        method="GET",
        path="/api/auth/users",
        operation=Accounts.list_users,
        access=Access.ADMIN,
        transaction=Mode.READING,
        body=UserPage,
        result=Users,
    ),
    Endpoint(
        method="GET",
        path="/api/auth/users/{user_id}",
        operation=Accounts.find_user,
        access=Access.ADMIN,
        transaction=Mode.READING,
        body=UserId,
        result=User,
    ),
    Endpoint(
        method="DELETE",
        path="/api/auth/users",
        operation=Accounts.remove_users,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=UserIds,
        result=Removed,
    ),
)

_SESSIONS = (
    Endpoint(
        method="POST",
        path="/api/auth/sessions",
        operation=Identity.sign_in,
        access=Access.ANYONE,
        transaction=Mode.NONE,
        body=Login,
        inputs=DEVICE,
        result=Session,
        reply=session_reply,
    ),
    Endpoint(
        method="POST",
        path="/api/auth/refresh",
        operation=Identity.refresh,
        access=Access.ANYONE,
        transaction=Mode.NONE,
        body=Presented,
        inputs=_shown("user"),
        result=Session,
        reply=session_reply,
    ),
    Endpoint(
        method="POST",
        path="/api/auth/logout",
        operation=Identity.sign_out,
        access=Access.ANYONE,
        transaction=Mode.NONE,
        body=Presented,
        inputs=_shown("user"),
        result=Done,
        reply=_signed_out,
    ),
    Endpoint(
        method="GET",
        path="/api/auth/sessions/current",
        operation=Identity.find_current_user,
        access=Access.USER,
        transaction=Mode.READING,
        result=CurrentUser,
    ),
    Endpoint(
        method="GET",
        path="/api/auth/sessions",
        operation=Sessions.list_sessions,
        access=Access.USER,
        transaction=Mode.READING,
        result=SessionList,
    ),
    Endpoint(
        method="DELETE",
        path="/api/auth/sessions/{id}",
        operation=Sessions.end_session,
        access=Access.USER,
        transaction=Mode.NONE,
        body=SessionId,
        result=Done,
    ),
)

_ADMIN = (
    Endpoint(
        method="POST",
        path="/api/auth/admin/sessions",
        operation=Identity.sign_in_admin,
        access=Access.ANYONE,
        transaction=Mode.NONE,
        body=AdminLogin,
        inputs=DEVICE,
        result=Session,
        reply=session_reply,
    ),
    Endpoint(
        method="GET",
        path="/api/auth/admin/sessions/current",
        operation=Identity.find_current_admin,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        result=CurrentAdmin,
    ),
    Endpoint(
        method="POST",
        path="/api/auth/admin/refresh",
        operation=Identity.refresh_admin,
        access=Access.ANYONE,
        transaction=Mode.NONE,
        body=Presented,
        inputs=_shown("admin"),
        result=Session,
        reply=session_reply,
    ),
    Endpoint(
        method="POST",
        path="/api/auth/admin/logout",
        operation=Identity.sign_out_admin,
        access=Access.ANYONE,
        transaction=Mode.NONE,
        body=Presented,
        inputs=_shown("admin"),
        result=Done,
        reply=_signed_out,
    ),
)

_KEYS = (
    Endpoint(
        method="POST",
        path="/api/auth/tokens/anon",
        operation=Keys.show_anon_token,
        access=Access.ADMIN,
        transaction=Mode.READING,
        result=AnonToken,
    ),
    Endpoint(
        method="GET",
        path="/api/metadata/api-key",
        operation=Keys.show_api_key,
        access=Access.ADMIN,
        transaction=Mode.READING,
        result=ApiKey,
    ),
    Endpoint(
        method="GET",
        path="/api/metadata/anon-key",
        operation=Keys.show_anon_key,
        access=Access.ADMIN,
        transaction=Mode.READING,
        result=AnonKey,
    ),
    *(
        Endpoint(
            method="GET",
            path=path,
            operation=Keys.publish_keys,
            access=Access.ANYONE,
            transaction=Mode.NONE,
            result=dict[str, object],
            reply=_public_keys,
        )
        for path in ("/.well-known/jwks.json", "/api/.well-known/jwks.json")
    ),
)

ENDPOINTS = (*_ACCOUNTS, *_SESSIONS, *_ADMIN, *_KEYS)
