"""Where codes, links, letters and the configuration are reached."""

from typing import cast

from headwater.kernel.component import Access, Endpoint, FromAddress, Mode
from headwater.kernel.mail import SmtpChange, StoredSmtpAccount
from headwater.kernel.models import Reply
from headwater.platform.identity.endpoints.accounts import DEVICE, session_reply
from headwater.platform.identity.models import (
    Addressed,
    AuthConfig,
    ConfigChange,
    Done,
    EmailVerification,
    Landing,
    LinkToken,
    Message,
    PasswordReset,
    PublicConfig,
    RawLetter,
    ResetCode,
    ResetToken,
    Sent,
    Session,
    SmtpConfig,
    Template,
    TemplateChange,
    Templates,
)
from headwater.platform.identity.operations import Configuration, Mailing, Verification

_FROM = {"address": FromAddress()}
_LETTER = 700_000
"""Bytes: a letter in a user's own words, escaped as JSON."""


def _onward(result: object) -> Reply:
    """A browser is sent on; it tells no other site the token in its address, for every answer says no-referrer."""
    headers = (("Location", cast("Landing", result).url), ("Cache-Control", "no-store"))
    return Reply(status=302, headers=headers, media_type=None)


_CODES = (
    *(
        Endpoint(
            method="POST",
            path=f"/api/auth/email/{name}",
            operation=operation,
            access=Access.ANYONE,
            transaction=Mode.NONE,
            body=Addressed,
            inputs=_FROM,
            status=202,
            result=Done,
        )
        for name, operation in (
            ("send-otp", Verification.ask_for_code),
            ("send-verification", Verification.ask_for_verification),
            ("send-reset-password", Verification.ask_for_reset),
        )
    ),
    Endpoint(
        method="POST",
        path="/api/auth/email/verify",
        operation=Verification.verify_email,
        access=Access.ANYONE,
        transaction=Mode.NONE,
        body=EmailVerification,
        inputs=DEVICE,
        result=Session,
        reply=session_reply,
    ),
    *(
        Endpoint(
            method="GET",
            path=f"/api/auth/email/{name}",
            operation=operation,
            access=Access.ANYONE,
            transaction=Mode.NONE,
            body=LinkToken,
            status=302,
            reply=_onward,
        )
        for name, operation in (
            ("verify-link", Verification.follow_verification_link),
            ("reset-password-link", Verification.follow_reset_link),
        )
    ),
    Endpoint(
        method="HEAD",
        path="/api/auth/email/verify-link",
        operation=Verification.look_at_verification_link,
        access=Access.ANYONE,
        transaction=Mode.READING,
        body=LinkToken,
        status=302,
        reply=_onward,
    ),
    Endpoint(
        method="POST",
        path="/api/auth/email/exchange-reset-password-token",
        operation=Verification.exchange_reset_code,
        access=Access.ANYONE,
        transaction=Mode.NONE,
        body=ResetCode,
        inputs=_FROM,
        result=ResetToken,
    ),
    Endpoint(
        method="POST",
        path="/api/auth/email/reset-password",
        operation=Verification.reset_password,
        access=Access.ANYONE,
        transaction=Mode.NONE,
        body=PasswordReset,
        inputs=_FROM,
        result=Message,
    ),
)

_CONFIGURATION = (
    Endpoint(
        method="GET",
        path="/api/auth/public-config",
        operation=Configuration.show_public_config,
        access=Access.ANYONE,
        transaction=Mode.NONE,
        result=PublicConfig,
    ),
    Endpoint(
        method="GET",
        path="/api/metadata/auth",
        operation=Configuration.show_public_config,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        result=PublicConfig,
    ),
    Endpoint(
        method="GET",
        path="/api/auth/config",
        operation=Configuration.show_config,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        result=AuthConfig,
    ),
    Endpoint(
        method="PUT",
        path="/api/auth/config",
        operation=Configuration.change_config,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=ConfigChange,
        result=AuthConfig,
    ),
)

_MAIL = (
    Endpoint(
        method="GET",
        path="/api/auth/smtp-config",
        operation=Mailing.show_smtp_config,
        access=Access.ADMIN,
        transaction=Mode.READING,
        result=SmtpConfig,
    ),
    Endpoint(
        method="PUT",
        path="/api/auth/smtp-config",
        operation=Mailing.change_smtp_config,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=SmtpChange,
        result=StoredSmtpAccount,
    ),
    Endpoint(
        method="GET",
        path="/api/auth/email-templates",
        operation=Mailing.list_templates,
        access=Access.ADMIN,
        transaction=Mode.READING,
        result=Templates,
    ),
    Endpoint(
        method="PUT",
        path="/api/auth/email-templates/{templateType}",
        operation=Mailing.change_template,
        access=Access.ADMIN,
        transaction=Mode.WRITING,
        body=TemplateChange,
        result=Template,
    ),
    Endpoint(
        method="POST",
        path="/api/email/send-raw",
        operation=Mailing.send_raw,
        access=Access.CALLER,
        transaction=Mode.NONE,
        body=RawLetter,
        body_limit=_LETTER,
        result=Sent,
    ),
)

ENDPOINTS = (*_CODES, *_CONFIGURATION, *_MAIL)
