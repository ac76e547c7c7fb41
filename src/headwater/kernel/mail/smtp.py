"""One letter to one SMTP server (RFC 5321), encrypted as its port demands."""

import asyncio
import ssl
from email.message import EmailMessage
from ipaddress import ip_address
from typing import Any

import aiosmtplib

from headwater.kernel.mail.errors import MailDelayed, MailRefused, SmtpUnusable
from headwater.kernel.mail.models import SmtpAccount

_PERMANENT = range(500, 600)


async def sign_in(account: SmtpAccount, seconds: float, verify: ssl.SSLContext | None = None) -> None:
    """Reach the account's server, sign in as `send` would, and leave; raises `SmtpUnusable`, which names the field."""
    host = f"{account.host}:{account.port}"
    try:
        async with asyncio.timeout(seconds), _client(account, seconds, verify) as client:
            await _introduce(client, account)
    except aiosmtplib.SMTPAuthenticationError as failure:
        told = f"{host} refuses {account.username} and the password: {failure.code} {failure.message}"
        raise SmtpUnusable(field="password", reason=told) from failure
    except MailRefused as failure:
        raise SmtpUnusable(field="host", reason=f"{host} cannot be used: {failure.facts['reason']}") from failure
    except aiosmtplib.SMTPResponseException as failure:
        raise SmtpUnusable(field="host", reason=f"{host} says {failure.code} {failure.message}") from failure
    except TimeoutError as failure:
        raise SmtpUnusable(field="host", reason=f"{host} gives no answer within {seconds:g} s") from failure
    except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as failure:
        told = str(failure) or type(failure).__name__
        raise SmtpUnusable(field="host", reason=f"{host} cannot be used: {told}") from failure


async def send(
    account: SmtpAccount,
    message: EmailMessage,
    recipients: list[str],
    seconds: float,
    verify: ssl.SSLContext | None = None,
) -> None:
    """Hand a message to the account's server; return once it is taken for every recipient.

    On port 465 the connection is encrypted from its first byte, on 587 STARTTLS is demanded, elsewhere it is used if
    offered. A password is never sent over a connection in the clear, except to this machine. Raises `MailDelayed`
    where a later attempt may succeed and `MailRefused` where none will. `verify` is for tests.
    """
    try:
        async with _client(account, seconds, verify) as client:
            await _introduce(client, account)
            refused, _ = await client.send_message(message, sender=account.sender_email, recipients=recipients)
    except aiosmtplib.SMTPRecipientsRefused as failure:
        codes = [each.code for each in failure.recipients]
        raise _refusal(max(codes, default=550), "no recipient is known there") from failure
    except aiosmtplib.SMTPResponseException as failure:
        raise _refusal(failure.code, f"{failure.code} {failure.message}") from failure
    except aiosmtplib.SMTPNotSupported as failure:
        raise MailRefused(reason=str(failure)) from failure
    except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as failure:
        raise MailDelayed(reason=str(failure) or type(failure).__name__) from failure
    if refused:
        raise MailRefused(reason="some recipients are not known there")


def _client(account: SmtpAccount, seconds: float, verify: ssl.SSLContext | None) -> aiosmtplib.SMTP:
    implicit, demanded = _encryption(account)
    return aiosmtplib.SMTP(
        hostname=account.host,
        port=account.port,
        use_tls=implicit,
        start_tls=False if implicit else demanded,
        timeout=seconds,
        tls_context=verify,
        local_hostname=account.sender_email.rpartition("@")[2] or "localhost",
    )


async def _introduce(client: aiosmtplib.SMTP, account: SmtpAccount) -> None:
    if account.username and account.password is not None:
        _must_be_private(client, account.host)
        await client.login(account.username, account.password)


def _encryption(account: SmtpAccount) -> tuple[bool, bool | None]:
    """Whether TLS begins with the connection; whether STARTTLS is demanded (None: used if offered)."""
    mode = account.tls
    if mode == "auto":
        mode = {465: "implicit", 587: "starttls"}.get(account.port, "opportunistic")
    return mode == "implicit", True if mode == "starttls" else None


def _must_be_private(client: aiosmtplib.SMTP, host: str) -> None:
    encrypted: Any = client.get_transport_info("ssl_object")
    if encrypted is None and not is_loopback(host):
        raise MailRefused(reason="it offers no encryption, and the password would be sent in the clear")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or address."""
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _refusal(code: int, reason: str) -> MailRefused | MailDelayed:
    return MailRefused(reason=reason) if code in _PERMANENT else MailDelayed(reason=reason)
