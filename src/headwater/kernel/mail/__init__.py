"""Mail: letters that nobody can smuggle a header into, sent by SMTP or kept in the development mailbox."""

from headwater.kernel.mail.errors import (
    EmailProviderNotConfigured,
    InvalidLetter,
    MailDelayed,
    MailRefused,
    SmtpUnusable,
)
from headwater.kernel.mail.letter import compose, text_of
from headwater.kernel.mail.mailbox import list_letters, remove_expired_letters
from headwater.kernel.mail.mailer import Mailer
from headwater.kernel.mail.models import (
    Letter,
    MailSettings,
    ReceivedLetter,
    SmtpAccount,
    SmtpChange,
    SmtpSettings,
    StoredSmtpAccount,
)

__all__ = [
    "EmailProviderNotConfigured",
    "InvalidLetter",
    "Letter",
    "MailDelayed",
    "MailRefused",
    "MailSettings",
    "Mailer",
    "ReceivedLetter",
    "SmtpAccount",
    "SmtpChange",
    "SmtpSettings",
    "SmtpUnusable",
    "StoredSmtpAccount",
    "compose",
    "list_letters",
    "remove_expired_letters",
    "text_of",
]
