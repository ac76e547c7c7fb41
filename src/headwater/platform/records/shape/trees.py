"""Trees of conditions: one that differs from an earlier one only by its values is not parsed again."""

import re
from functools import lru_cache

from headwater.platform.records.errors import UnreadableQuery
from headwater.platform.records.models import Logic
from headwater.platform.records.parse import array_literal, array_of, parse_logic, unescaped

_LONGEST_KNOWN = 1024
"""Characters; no longer text is remembered, so that the memory has a size."""
_VALUE = re.compile(
    r"""
    ( \.(?: in\.(\() | (?!in\.|is\.|not\.|count\.)[a-z]+(?:\([a-z]*\))?\. ) )   # what stands before it
    ( (?(2) [^()"]+ | (?: "(?:[^"\\]|\\.)*" | \{[^{}]*\} | [^"{(),][^,)]* ) ) )   # a plain list, or the value
    """,
    re.VERBOSE | re.DOTALL,
)
_MARK = "\0"
_MARKED = {None: _MARK, "(": array_literal([_MARK])}


def read_tree(words: str, text: str, values: list[str]) -> Logic:
    """What `parse_logic` gives, at the cost of one regular expression where such a tree is known."""
    if len(text) > _LONGEST_KNOWN:
        return parse_logic(words, text, values)
    pieces = _VALUE.split(text)
    found = pieces[3::4]
    del pieces[3::4]
    tree = _tree_between(words, len(values), tuple(pieces))
    if tree is None:
        return parse_logic(words, text, values)
    for spelled, opened in zip(found, pieces[2::3], strict=True):
        values.append(array_of(spelled) if opened else _unquoted(spelled))
    return tree


def _unquoted(text: str) -> str:
    return unescaped(text[1:-1]) if text[0] == '"' else text


@lru_cache(1024)
def _tree_between(words: str, first: int, pieces: tuple[str | None, ...]) -> Logic | None:
    """The tree of every text that consists of these pieces and values between them; None if they are not all alike.

    They are where the parser, given a mark in place of each value, takes exactly the marks for values: then it stands
    where each value begins, and whatever the expression finds there it reads to the same end (docs/decisions/0026).
    """
    if any(_MARK in piece for piece in pieces if piece):
        return None
    text = "".join(f"{before}{head}{_MARK}" for before, head in zip(pieces[::3], pieces[1::3], strict=False))
    values = [""] * first
    try:
        tree = parse_logic(words, f"{text}{pieces[-1]}", values)
    except UnreadableQuery:
        return None
    return tree if values[first:] == [_MARKED[opened] for opened in pieces[2::3]] else None
