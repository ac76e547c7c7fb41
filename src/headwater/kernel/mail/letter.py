"""From a letter to the bytes of a message (RFC 5322), with no way for a text to become a header."""

import re
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from html.parser import HTMLParser

from typing_extensions import override

from headwater.kernel.mail.errors import InvalidLetter
from headwater.kernel.mail.models import Letter, SmtpAccount

_ASCII = SMTP.clone(cte_type="7bit")  # also for servers that know no 8BITMIME
_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
_ADDRESS = re.compile(r"[^\s@\"<>()\[\],;:\\\x00-\x1f\x7f]{1,64}@[^\s@\"<>()\[\],;:\\\x00-\x1f\x7f]{1,255}")
_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_BLOCKS = {"p", "div", "br", "tr", "h1", "h2", "h3", "h4", "li", "table", "blockquote"}
_UNSEEN = {"script", "style", "head", "title"}


def compose(letter: Letter, account: SmtpAccount, now: datetime) -> EmailMessage:
    """The message of a letter: text and HTML, addresses checked, copies for the blind not told.

    Raises `InvalidLetter`, which names the field: a line break in a header is refused and never folded away.
    """
    if not letter.to:
        raise InvalidLetter(field="to", reason="Required")
    everyone = (*letter.to, *letter.cc, *letter.bcc, account.sender_email)
    message = EmailMessage(_ASCII if all(map(str.isascii, everyone)) else SMTPUTF8)
    name = account.sender_name if letter.sender_name is None else letter.sender_name
    message["From"] = _address("senderName", account.sender_email, _line("senderName", name))
    message["To"] = [_address("to", each) for each in letter.to]
    if letter.cc:
        message["Cc"] = [_address("cc", each) for each in letter.cc]
    for each in letter.bcc:
        _address("bcc", each)
    if letter.reply_to is not None:
        message["Reply-To"] = _address("replyTo", letter.reply_to)
    message["Subject"] = _line("subject", letter.subject)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{_identifier(letter.id)}@{account.sender_email.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notices, please
    message.set_content(letter.text if letter.text is not None else text_of(letter.html))
    message.add_alternative(letter.html, subtype="html")
    return message


def text_of(html: str) -> str:
    """What a reader without HTML sees: the words, line by line, and where links lead."""
    reading = _Reading()
    reading.feed(html)
    reading.close()
    lines = (" ".join(line.split()) for line in "".join(reading.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


class _Reading(HTMLParser):
    """Collects the words of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0
        self._target = ""

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _UNSEEN
        if tag in _BLOCKS:
            self.parts.append("\n")
        if tag == "a":
            self._target = dict(attrs).get("href") or ""

    @override
    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in _UNSEEN and self._hidden > 0
        if tag == "a" and self._target and "".join(self.parts[-1:]).strip() != self._target:
            self.parts.append(f" ({self._target})")
        if tag in _BLOCKS:
            self.parts.append("\n")

    @override
    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data.replace("\n", " "))


def _line(field: str, text: str) -> str:
    if _FORBIDDEN.search(text):
        raise InvalidLetter(field=field, reason="must be one line")
    return text


def _identifier(text: str) -> str:
    if not _ID.fullmatch(text):
        raise InvalidLetter(field="id", reason="must be a name of letters, digits, dots and dashes")
    return text


def _address(field: str, text: str, name: str = "") -> Address:
    if not _ADDRESS.fullmatch(text):
        raise InvalidLetter(field=field, reason="Invalid email")
    try:
        user, _, domain = text.rpartition("@")
        return Address(name, user, domain if domain.isascii() else domain.encode("idna").decode())
    except (ValueError, MessageError, IndexError) as failure:
        raise InvalidLetter(field=field, reason="Invalid email") from failure
