"""The decisions of Sample app."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.kernel.errors import NotAUser
from headwater.kernel.principal import NOBODY

from .. import rules
from ..errors import BlankNote


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_a_blank_note_is_refused(text: str) -> None:
    with pytest.raises(BlankNote):
        rules.must_not_be_blank(text)


@given(st.lists(st.from_regex(r"[a-z]+", fullmatch=True), min_size=1))
def test_every_word_counts(words: list[str]) -> None:
    text = "\n ".join(words)
    rules.must_not_be_blank(text)
    assert rules.words_in(text) == len(words)


def test_a_note_belongs_to_a_user() -> None:
    with pytest.raises(NotAUser):
        rules.owner(NOBODY)
