"""Templates of letters: words with placeholders, and no way to do anything but fill them in."""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from jinja2 import Environment, StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from headwater.platform.identity.errors import InvalidTemplate
from headwater.platform.identity.models import TemplateChange, TemplateType

PLACEHOLDERS = frozenset({"token", "link", "name", "email"})
_FILTERS = frozenset({"e", "escape", "upper", "lower", "title", "capitalize", "trim", "default", "d"})
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.If,
    nodes.Not,
    nodes.And,
    nodes.Or,
    nodes.Filter,
)
"""Neither loops nor calls nor arithmetic nor attributes: a letter is made in one pass over its template's length."""


def _letter(title: str, sentence: str, shown: str, ending: str) -> str:
    return (
        '<div style="font-family: sans-serif; max-width: 32em; margin: 2em auto; line-height: 1.5">'
        f'<h1 style="font-size: 1.3em">{title}</h1><p>{sentence}</p>{shown}<p>{ending}</p></div>'
    )


_CODE = '<p style="font-size: 1.8em; letter-spacing: 0.2em"><b>{{ token }}</b></p>'
_LINK = '<p><a href="{{ link }}">{{ link }}</a></p>'
_NOT_ASKED = "If you have not asked for it, ignore this letter: nobody learns anything from that."
DEFAULTS: Mapping[TemplateType, TemplateChange] = {
    template.template_type: template
    for template in (
        TemplateChange(
            template_type="email-verification-code",
            subject="Your verification code: {{ token }}",
            body_html=_letter(
                "Verify your address", "This code verifies {{ email }}. It is good for 15 minutes.", _CODE, _NOT_ASKED
            ),
        ),
        TemplateChange(
            template_type="email-verification-link",
            subject="Verify your address",
            body_html=_letter(
                "Verify your address", "Open this link to verify {{ email }}. It is good for a day.", _LINK, _NOT_ASKED
            ),
        ),
        TemplateChange(
            template_type="reset-password-code",
            subject="Your code for a new password",
            body_html=_letter(
                "Set a new password",
                "With this code the account of {{ email }} gets a new password. It is good for 15 minutes.",
                _CODE,
                _NOT_ASKED,
            ),
        ),
        TemplateChange(
            template_type="reset-password-link",
            subject="Set a new password",
            body_html=_letter(
                "Set a new password",
                "Open this link to give the account of {{ email }} a new password. It is good for a day.",
                _LINK,
                _NOT_ASKED,
            ),
        ),
        TemplateChange(
            template_type="request-otp",
            subject="Your sign-in code: {{ token }}",
            body_html=_letter(
                "Sign in", "This code signs {{ email }} in. It is good for 5 minutes.", _CODE, _NOT_ASKED
            ),
        ),
    )
}


class Words:
    """What a letter says, in its two parts."""

    def __init__(self, template: TemplateChange, values: Mapping[str, str]) -> None:
        self.subject = " ".join(_compiled(template.subject, html=False).render(values).split())
        self.html = _compiled(template.body_html, html=True).render(values)


def words_of(template: TemplateChange, values: Mapping[str, str]) -> Words:
    """A letter's words; those of the house where the template, which the admin's SQL may have changed, will not do."""
    try:
        must_be_template(template)
        return Words(template, values)
    except (InvalidTemplate, TemplateError, TypeError, ValueError):
        return Words(DEFAULTS[template.template_type], values)


def must_be_template(template: TemplateChange) -> None:
    """Raises `InvalidTemplate`, which names the field and what is wrong with it."""
    _must_only_fill_in("subject", template.subject, html=False)
    _must_only_fill_in("bodyHtml", template.body_html, html=True)
    needed = "link" if template.template_type.endswith("-link") else "token"
    if needed not in _names(_parsed("bodyHtml", template.body_html, html=True)):
        raise InvalidTemplate(field="bodyHtml", reason=f"{{{{ {needed} }}}} is missing, without which it is of no use")


def _must_only_fill_in(field: str, text: str, *, html: bool) -> None:
    tree = _parsed(field, text, html=html)
    for node in _walk(tree):
        if not isinstance(node, _ALLOWED) or (isinstance(node, nodes.Filter) and node.name not in _FILTERS):
            what = node.name if isinstance(node, nodes.Filter) else type(node).__name__.lower()
            raise InvalidTemplate(field=field, reason=f"line {node.lineno}: {what} is not available here")
        if isinstance(node, nodes.Filter) and (node.kwargs or node.dyn_args or node.dyn_kwargs):
            raise InvalidTemplate(field=field, reason=f"line {node.lineno}: {node.name} takes no names here")
    for name in sorted(_names(tree) - PLACEHOLDERS):
        known = ", ".join(sorted(PLACEHOLDERS))
        raise InvalidTemplate(field=field, reason=f"{name} is unknown; placeholders are {known}")
    try:
        _compiled(text, html=html).render(dict.fromkeys(PLACEHOLDERS, ""))
    except (TemplateError, TypeError, ValueError) as failure:
        raise InvalidTemplate(field=field, reason=str(failure)) from failure


def _parsed(field: str, text: str, *, html: bool) -> nodes.Template:
    try:
        return _ENVIRONMENTS[html].parse(text)
    except TemplateSyntaxError as failure:
        raise InvalidTemplate(field=field, reason=f"line {failure.lineno}: {failure.message}") from failure
    except RecursionError as failure:
        raise InvalidTemplate(field=field, reason="it is nested too deeply") from failure


def _walk(tree: nodes.Node) -> Iterator[nodes.Node]:
    pending: list[nodes.Node] = [tree]
    while pending:
        node = pending.pop()
        yield node
        pending += node.iter_child_nodes()


def _names(tree: nodes.Template) -> set[str]:
    return {node.name for node in tree.find_all(nodes.Name)}


def _environment(*, html: bool) -> Environment:
    return ImmutableSandboxedEnvironment(autoescape=html, undefined=StrictUndefined, cache_size=0)


_ENVIRONMENTS = {html: _environment(html=html) for html in (True, False)}


@lru_cache(maxsize=64)
def _compiled(text: str, *, html: bool):  # noqa: ANN202 - a jinja2 template
    return _ENVIRONMENTS[html].from_string(text)
