"""Templates fill in their placeholders, and do nothing else."""

from contextlib import suppress
from time import perf_counter
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.platform.identity.errors import InvalidTemplate
from headwater.platform.identity.models import TemplateChange, TemplateType
from headwater.platform.identity.templates import DEFAULTS, must_be_template, words_of

VALUES = {"token": "123456", "link": "https://a.b/c?d=1&e=2", "name": "Ada", "email": "ada@example.com"}


def template(body: str = "{{ token }}", subject: str = "Hello") -> TemplateChange:
    return TemplateChange(template_type="request-otp", subject=subject, body_html=body)


def test_every_letter_has_a_template_of_ours_that_will_do() -> None:
    assert set(DEFAULTS) == set(get_args(TemplateType))
    for kind, ours in DEFAULTS.items():
        must_be_template(ours)
        words = words_of(ours, VALUES)
        wanted = "https://a.b/c?d=1&amp;e=2" if kind.endswith("link") else "123456"
        assert wanted in words.html and words.subject.isprintable()


def test_placeholders_are_filled_in() -> None:
    text = "<p>{{ name | upper }} {{email}}{% if link %} {{ link }}{% else %}!{% endif %} {{ token }}</p>"
    must_be_template(template(text, "{{ token }} for {{ name | default('you') }}"))
    words = words_of(template(text, "{{ token }} for {{ name | default('you') }}"), VALUES)
    assert words.subject == "123456 for Ada"
    assert words.html == "<p>ADA ada@example.com https://a.b/c?d=1&amp;e=2 123456</p>"


def test_a_name_is_no_markup_and_no_header() -> None:
    values = {**VALUES, "name": "<a href='//evil'>x</a>\r\nBcc: evil@example.com"}
    words = words_of(template("{{ token }} {{ name }}", "Hi {{ name }}"), values)
    assert "<a" not in words.html
    assert "\n" not in words.subject and "\r" not in words.subject


REFUSED = [
    ("{{ token }}{{ 7 * 7 }}", "mul is not available"),
    ("{{ token }}{{ 'a' ~ 'b' }}", "concat is not available"),
    ("{{ token }}{{ token.__class__ }}", "getattr is not available"),
    ("{{ token['x'] }}", "getitem is not available"),
    ("{{ token }}{{ ''.__class__.__mro__[1].__subclasses__() }}", "is not available"),
    ("{{ token }}{{ range(10) }}", "is not available"),
    ("{{ token }}{{ lipsum() }}", "is not available"),
    ("{{ token }}{% for a in token %}{% endfor %}", "for is not available"),
    ("{{ token }}{% set a = 1 %}", "is not available"),
    ("{{ token }}{% macro m() %}{% endmacro %}", "macro is not available"),
    ("{{ token }}{% include 'x' %}", "include is not available"),
    ("{{ token }}{% import 'x' as y %}", "is not available"),
    ("{{ token }}{% extends 'x' %}", "extends is not available"),
    ("{{ token }}{% block b %}{% endblock %}", "block is not available"),
    ("{{ token | attr('x') }}", "attr is not available"),
    ("{{ token | center(1000000000) }}", "center is not available"),
    ("{{ token | safe }}", "safe is not available"),
    ("{{ token }}{{ password }}", "password is unknown"),
    ("{{ token }}{{ self }}", "self is unknown"),
    ("{{ token }}{{ config }}", "config is unknown"),
    ("{{ token", "line 1"),
    ("{{ token }}\n{% if %}", "line 2"),
    ("{{ token }}{{ token | nonsense }}", "nonsense"),
    ("{{ token | upper(1, 2, 3) }}", "bodyHtml"),
    ("no placeholder", "{{ token }} is missing"),
    ("{{ link }}", "{{ token }} is missing"),
    ("{{ token }}" + "{% if token %}" * 500 + "{% endif %}" * 500, "bodyHtml"),
]


@pytest.mark.parametrize(("body", "reason"), REFUSED)
def test_what_does_more_is_refused_by_name(body: str, reason: str) -> None:
    began = perf_counter()
    with pytest.raises(InvalidTemplate) as refused:
        must_be_template(template(body))
    assert refused.value.message.startswith("bodyHtml: ") and reason in refused.value.message
    assert perf_counter() - began < 2


def test_a_bad_subject_is_named_too() -> None:
    with pytest.raises(InvalidTemplate, match=r"^subject: line 1"):
        must_be_template(template(subject="{{ token"))


@pytest.mark.parametrize(("body", "_reason"), REFUSED)
def test_what_came_in_by_sql_is_not_carried_out(body: str, _reason: str) -> None:
    words = words_of(template(body), VALUES)
    assert words.html == words_of(DEFAULTS["request-otp"], VALUES).html


@given(body=st.text(alphabet="{}%| tokenamlikxf'\"()[]._~*-+#\n", max_size=60))
def test_any_text_is_taken_or_refused_and_letters_are_always_written(body: str) -> None:
    with suppress(InvalidTemplate):
        must_be_template(template(body))
    assert words_of(template(body), VALUES).html
