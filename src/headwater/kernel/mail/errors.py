"""Why a letter was not sent."""

from headwater.kernel.errors import Refusal


class EmailProviderNotConfigured(Refusal):
    """There is neither an SMTP account nor a development mailbox."""

    code = "EMAIL_PROVIDER_NOT_CONFIGURED"
    status = 503
    sentence = "No mail can be sent: configure SMTP with HEADWATER_SMTP_HOST or PUT /api/auth/smtp-config"


class InvalidLetter(Refusal):
    """An address is none, or a text would break out of its header."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "{field}: {reason}"


class SmtpUnusable(Refusal):
    """An SMTP account that the admin enters does not let us in; the sentence names the field to look at."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "{field}: {reason}; add tryConnection: false to enter it all the same"


class MailDelayed(Refusal):
    """The SMTP server did not take the letter this time; it may take it later."""

    code = "EMAIL_DELIVERY_FAILED"
    status = 502
    sentence = "The mail server did not take the letter: {reason}"


class MailRefused(Refusal):
    """The SMTP server will never take this letter, or this account."""

    code = "EMAIL_DELIVERY_FAILED"
    status = 502
    sentence = "The mail server refuses the letter: {reason}"
