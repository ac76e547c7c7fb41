"""A long JSON text cut into its rows, a piece of it in memory at a time."""

import re
from collections.abc import Iterator
from itertools import count

from headwater.platform.database.errors import InvalidUpload

PIECE = 256 * 1024
"""Bytes that are looked at in one go; more only where a row is longer."""
LONGEST_ROW = 32 * 1024 * 1024
_BLANK = re.compile(rb"[ \t\r\n]*+")
_TO_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+([{}\[\]])', re.DOTALL)
"""All up to the next bracket that stands in no string; nothing where the text ends before it, or in a string."""


def no_objects(reason: str) -> InvalidUpload:
    """The refusal of a text that is no array of objects."""
    return InvalidUpload(reason=f"an array of objects is wanted: {reason}")


def cut_array(content: memoryview) -> Iterator[bytes]:
    """Each object of a JSON array, as it is written; whether it is well-formed inside is not looked at.

    Raises `InvalidUpload` where what lies between them is no array's, naming the row.
    """
    window = _Window(content)
    if window.mark() != b"[":
        raise no_objects("the text does not begin with [")
    window.at += 1
    if window.mark() != b"]":
        for number in count(1):
            if window.mark() != b"{":
                raise no_objects(f"row {number} is no object")
            yield _object(window, number)
            if window.mark() == b"]":
                break
            if window.mark() != b",":
                raise no_objects(f"row {number} is followed by neither a comma nor the end of the array")
            window.at += 1
    window.at += 1
    if window.mark():
        raise no_objects("the text goes on after the array")


def cut_lines(content: memoryview) -> Iterator[bytes]:
    """Each line that is not blank. Raises `InvalidUpload` where one is too long."""
    window = _Window(content)
    while True:
        end = window.text.find(b"\n", window.at)
        if end < 0:
            if window.widen():
                continue
            end = len(window.text)
        line = window.text[window.at : end].strip()
        if line:
            yield line
        elif end == len(window.text):
            return
        window.at = min(end + 1, len(window.text))


class _Window:
    """The part of a text that is looked at; what lies before `at` is done with."""

    def __init__(self, content: memoryview) -> None:
        self._content = content
        self._taken = 0
        self.text = b""
        self.at = 0

    def widen(self) -> bool:
        """Let go of what is done with, and take in as much again as is left; False at the end of the text."""
        left = self.text[self.at :]
        if len(left) > LONGEST_ROW:
            raise InvalidUpload(reason=f"a row is longer than {LONGEST_ROW} bytes, or a quote or bracket is not closed")
        more = self._content[self._taken : self._taken + max(PIECE, len(left))]
        self._taken += len(more)
        self.text, self.at = left + more, 0
        return len(more) > 0

    def mark(self) -> bytes:
        """The next byte that is not blank, which `at` is then at; empty at the end of the text."""
        while True:
            self.at = _end_of(_BLANK, self.text, self.at)
            if self.at < len(self.text) or not self.widen():
                return self.text[self.at : self.at + 1]


def _end_of(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _object(window: _Window, number: int) -> bytes:
    """The object that begins where the window is at, which then is behind it."""
    while True:
        end = _closing(window.text, window.at)
        if end is not None:
            text = window.text[window.at : end]
            window.at = end
            return text
        if not window.widen():
            raise no_objects(f"the text ends within row {number}")


def _closing(text: bytes, at: int) -> int | None:
    """Where what is opened at a place has been closed; None where that is further on than the text goes."""
    depth = 0
    while found := _TO_BRACKET.match(text, at):
        at = found.end()
        depth += 1 if found[1] in b"{[" else -1
        if depth == 0:
            return at
    return None
