"""The admin's side of mail and of the configuration, and letters in a user's own words."""

import asyncio
from typing import Any

import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Database
from headwater.kernel.errors import InvalidInput, TooManyRequests
from headwater.kernel.mail import InvalidLetter, Mailer, MailSettings, SmtpChange, SmtpSettings
from headwater.kernel.observe import Observer
from headwater.kernel.principal import NOBODY, Kind, Principal
from headwater.platform.identity.errors import (
    InvalidTemplate,
    MailNeededForVerification,
    RedirectNotAllowed,
    SenderNotSignedIn,
    SignupDisabled,
    VerificationNeedsMail,
    WeakPassword,
)
from headwater.platform.identity.models import MailingSettings, PublicConfig, RawLetter, SmtpConfig, TemplateChange
from headwater.platform.identity.operations import Configuration
from headwater.platform.identity.policy import Policy
from tests.kernel.waiting import until
from tests.platform.identity.conftest import VAULT, Process, Start
from tests.platform.identity.postbox import Postbox

ADMIN = Principal(kind=Kind.ADMIN, role="project_admin", key="key:1")
ANON = Principal(kind=Kind.ANON, role="anon", key="key:2")


@pytest.fixture
def post(process: Process) -> Postbox:
    return Postbox(process)


async def test_what_the_admin_says_wins_over_the_environment(start: Start) -> None:
    one = Postbox(await start(password_min_length=9, require_number=True))
    other = await start(password_min_length=9, require_number=True)
    config = await one.say(require_uppercase=True)
    assert (config.password_min_length, config.require_number, config.require_uppercase) == (9, True, True)
    assert config.created_at == "2030-01-01T00:00:00.000Z"
    with pytest.raises(WeakPassword, match="9 characters, one number and one uppercase letter"):
        await one.process.sign_up(password="short")
    await one.say(password_min_length=4, require_number=False, require_uppercase=False, disable_signup=True)
    assert one.process.parts.find(Policy).current.password_min_length == 4
    theirs = other.parts.find(Policy)
    await until(lambda: theirs.current.disable_signup)
    assert theirs.current == one.process.parts.find(Policy).current
    with pytest.raises(SignupDisabled):
        await other.sign_up(password="four")
    again = await start(password_min_length=9)
    assert again.parts.find(Policy).current.password_min_length == 4


async def test_a_change_leaves_the_rest_as_it_was(post: Postbox) -> None:
    await post.say(allowed_redirect_urls=("https://a.example/**",), verify_email_method="link")
    config = await post.say(reset_password_method="link")
    assert config.allowed_redirect_urls == ("https://a.example/**",)
    assert (config.verify_email_method, config.reset_password_method) == ("link", "link")
    assert (await post.say(allowed_redirect_urls=())).allowed_redirect_urls == ()
    public = await post.process.parts.find(Configuration).show_public_config(post.process.transactions, NOBODY, None)
    assert public == PublicConfig(verify_email_method="link", reset_password_method="link")


async def test_verification_is_not_demanded_where_nothing_can_be_sent(
    start: Start, clock: DrivenClock, observer: Observer
) -> None:
    mail = (MailSettings(), SmtpSettings())
    post = Postbox(await start(mailer=Mailer(mail, VAULT, clock, observer, listens_locally=False)))
    with pytest.raises(VerificationNeedsMail):
        await post.say(require_email_verification=True, password_min_length=20)
    assert post.process.parts.find(Policy).current.password_min_length == 6
    smtp = SmtpChange(
        enabled=True, host="mail.example.com", sender_email="a@example.com", password="hush", try_connection=False
    )
    stored = await post.mailing.change_smtp_config(post.process.transactions, ADMIN, smtp)
    assert "hush" not in str(stored)
    assert (await post.say(require_email_verification=True)).require_email_verification
    with pytest.raises(MailNeededForVerification):
        await post.mailing.change_smtp_config(post.process.transactions, ADMIN, SmtpChange(enabled=False))
    kept = await post.process.database.reading(lambda tx: post.mailing.show_smtp_config(tx, ADMIN, None))
    assert (kept.enabled, kept.host, kept.has_password) == (True, "mail.example.com", True)
    await post.say(require_email_verification=False)
    assert not (
        await post.mailing.change_smtp_config(post.process.transactions, ADMIN, SmtpChange(enabled=False))
    ).enabled


async def test_of_two_at_once_one_gives_way(start: Start, clock: DrivenClock, observer: Observer) -> None:
    mail = (MailSettings(), SmtpSettings())
    post = Postbox(await start(mailer=Mailer(mail, VAULT, clock, observer, listens_locally=False)))
    smtp = SmtpChange(enabled=True, host="mail.example.com", sender_email="a@example.com", try_connection=False)
    for _ in range(10):
        await post.say(require_email_verification=False)
        await post.mailing.change_smtp_config(post.process.transactions, ADMIN, smtp)
        ended = await asyncio.gather(
            post.say(require_email_verification=True),
            post.mailing.change_smtp_config(post.process.transactions, ADMIN, SmtpChange(enabled=False)),
            return_exceptions=True,
        )
        refused = [type(each) for each in ended if isinstance(each, Exception)]
        assert refused in ([VerificationNeedsMail], [MailNeededForVerification])


@pytest.mark.parametrize("pattern", ["*", "app.example.org", "javascript:*"])
async def test_a_bad_pattern_is_refused_and_changes_nothing(post: Postbox, pattern: str) -> None:
    with pytest.raises(InvalidInput, match=r"allowedRedirectUrls\[1\]"):
        await post.say(allowed_redirect_urls=("https://a.example", pattern), disable_signup=True)
    assert not post.process.parts.find(Policy).current.disable_signup


async def test_an_installation_without_an_account_shows_an_empty_one(post: Postbox) -> None:
    shown = await post.process.database.reading(lambda tx: post.mailing.show_smtp_config(tx, ADMIN, None))
    assert shown == SmtpConfig()


async def test_templates_are_listed_and_changed(post: Postbox, clock: DrivenClock) -> None:
    await post.mailing.warm(post.process.transactions)
    await post.mailing.warm(post.process.transactions)
    listed = await post.process.database.reading(lambda tx: post.mailing.list_templates(tx, ADMIN, None))
    kinds = [template.template_type for template in listed.templates]
    assert kinds == sorted(kinds) and len(kinds) == 5
    clock.advance(60)
    change = TemplateChange(template_type="request-otp", subject="Come in", body_html="<p>{{ token }}, {{ name }}</p>")
    changed, _ = await post.process.database.writing(lambda tx: post.mailing.change_template(tx, ADMIN, change))
    assert (changed.id, changed.updated_at) == (
        next(template.id for template in listed.templates if template.template_type == "request-otp"),
        "2030-01-01T00:01:00.000Z",
    )
    await post.process.sign_up(name="Ada & <b>Co</b>")
    await post.ask("otp")
    letter = (await post.letters())[-1]
    assert letter.subject == "Come in"
    assert letter.html.strip() == f"<p>{await post.code()}, Ada &amp; &lt;b&gt;Co&lt;/b&gt;</p>"


async def test_a_bad_template_is_refused(post: Postbox) -> None:
    change = TemplateChange(template_type="request-otp", subject="x", body_html="{{ 7 * 7 }}")
    with pytest.raises(InvalidTemplate, match="bodyHtml"):
        await post.process.database.writing(lambda tx: post.mailing.change_template(tx, ADMIN, change))


async def test_a_template_that_sql_has_spoiled_is_replaced_by_ours(post: Postbox, database: Database) -> None:
    await post.mailing.warm(post.process.transactions)
    spoiled = "update email.templates set body_html = '{{ ''''.__class__ }}{{ token }}'"
    await database.writing(lambda tx: tx.execute(spoiled), ADMIN)
    await post.ask("otp", "new@example.com")
    await post.sign_in(await post.code(), "new@example.com")


async def test_a_user_writes_and_is_bounded(post: Postbox, clock: DrivenClock) -> None:
    user = post.process.whoami(await post.process.sign_up())
    transactions = post.process.transactions

    async def send(principal: Principal = user, **values: Any) -> None:
        stated: dict[str, Any] = {"to": "b@example.com", "subject": "Hi", "html": "<b>Hi</b>", **values}
        await post.mailing.send_raw(transactions, principal, RawLetter(**stated))

    await send(to=["b@example.com", " c@example.com "], bcc="d@example.com", sender_name="Ada")
    (letter,) = await post.letters()
    assert letter.to == ("b@example.com", "c@example.com", "d@example.com")
    for nobody in (ANON, NOBODY):
        with pytest.raises(SenderNotSignedIn):
            await send(nobody)
    bad: list[dict[str, Any]] = [
        {"to": "x"},
        {"to": []},
        {"subject": "a\r\nBcc: x@y.zz"},
        {"sender_name": "a\nb"},
        {"reply_to": "x"},
    ]
    for values in bad:
        with pytest.raises(InvalidLetter):
            await send(**values)
    twenty = [f"{number}@example.com" for number in range(20)]
    left = MailingSettings().raw_recipients - 3 - 4  # three arrived, and four that were refused named someone
    for _ in range(left // 20):
        await send(to=twenty)
    with pytest.raises(TooManyRequests):
        await send(to=twenty)
    await send(ADMIN, to=[f"{number}@example.com" for number in range(50)])
    clock.advance(900)
    await send()


async def test_redirects_are_judged_by_the_list(post: Postbox) -> None:
    with pytest.raises(RedirectNotAllowed):
        await post.ask("reset", redirect_to="https://evil.example/")
    await post.ask("reset", redirect_to="https://auth.example.com/")
