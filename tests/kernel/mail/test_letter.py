"""What a letter becomes: a message no text can break out of."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.kernel.mail import InvalidLetter, Letter, SmtpAccount, compose, text_of

ACCOUNT = SmtpAccount(
    host="mail.example.com",
    port=587,
    username="",
    password=None,
    sender_email="app@example.com",
    sender_name="Ünser App",
    min_interval_seconds=60,
)
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def letter(**values: object) -> Letter:
    told: dict[str, object] = {"id": "1", "to": ("ada@example.com",), "subject": "Hello", "html": "<p>Hi</p>"} | values
    return Letter(**told)  # pyright: ignore[reportArgumentType]


def test_a_message_says_what_the_letter_says() -> None:
    told = letter(
        subject="Grüße",
        html="<p>Hällo <b>Ada</b></p>",
        cc=("b@example.com",),
        bcc=("c@example.com",),
        reply_to="help@example.com",
    )
    raw = compose(told, ACCOUNT, NOW).as_bytes()
    assert raw.isascii() and b"c@example.com" not in raw
    read = message_from_bytes(raw, policy=default)
    assert (read["Subject"], read["To"], read["Cc"]) == ("Grüße", "ada@example.com", "b@example.com")
    assert read["From"] == "Ünser App <app@example.com>"
    assert (read["Reply-To"], read["Message-ID"]) == ("help@example.com", "<1@example.com>")
    assert read["Date"] == "Tue, 01 Jan 2030 00:00:00 +0000"
    plain, html = read.get_body(("plain",)), read.get_body(("html",))
    assert plain is not None and plain.get_content().splitlines() == ["Hällo Ada"]
    assert html is not None and html.get_content().strip() == "<p>Hällo <b>Ada</b></p>"


BREAKS = ["\r\nBcc: evil@example.com", "\nX: y", "\r", "\x00", "\x0b", "\x85", "\u2028"]


@pytest.mark.parametrize("injected", BREAKS)
@pytest.mark.parametrize("field", ["subject", "sender_name", "reply_to", "to", "cc", "bcc", "id"])
def test_no_header_is_smuggled_in(field: str, injected: str) -> None:
    plain = {"subject": "Hello", "sender_name": "App", "reply_to": "a@b.cd", "to": "a@b.cd", "id": "1"}
    value: object = plain.get(field, "a@b.cd") + injected
    with pytest.raises(InvalidLetter):
        compose(letter(**{field: (value,) if field in {"to", "cc", "bcc"} else value}), ACCOUNT, NOW)


@given(subject=st.text(max_size=300), name=st.text(max_size=300), user=st.text(max_size=30))
def test_whatever_the_texts_are_the_headers_are_ours(subject: str, name: str, user: str) -> None:
    told = letter(subject=subject, sender_name=name, to=(f"{user}@example.com",))
    try:
        raw = compose(told, ACCOUNT, NOW).as_bytes()
    except InvalidLetter:
        return
    head = raw.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    ours = [b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted", b"MIME-Version", b"Content-Type"]
    assert names == ours


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@",
        "@b.cd",
        "a b@c.de",
        "a@b@c.de",
        "a@b.cd,e@f.gh",
        "<a@b.cd>",
        "a@b.cd>",
        "a\\@b.cd",
        "a" * 65 + "@b.cd",
    ],
)
def test_what_is_no_address_is_refused_by_name(address: str) -> None:
    with pytest.raises(InvalidLetter, match="to: Invalid email"):
        compose(letter(to=(address,)), ACCOUNT, NOW)


def test_domains_and_mailboxes_of_other_alphabets_are_written() -> None:
    raw = compose(letter(to=("ada@bücher.example",)), ACCOUNT, NOW).as_bytes()
    assert b"ada@xn--bcher-kva.example" in raw
    assert "ädä@example.com".encode() in compose(letter(to=("ädä@example.com",)), ACCOUNT, NOW).as_bytes()


def test_who_reads_no_html_sees_the_words_and_where_links_lead() -> None:
    html = """<html><head><title>x</title><style>p { color: red }</style></head><body><h1>Hello &amp; welcome</h1>
    <p>Open <a href="https://example.com/a?b=1&amp;c=2">this
    page</a> now.<br>Or never.</p><script>alert(1)</script><p><a href="https://x.yz">https://x.yz</a></p></body></html>"""
    assert text_of(html) == (
        "Hello & welcome\n\nOpen this page (https://example.com/a?b=1&c=2) now.\nOr never.\n\nhttps://x.yz\n"
    )
