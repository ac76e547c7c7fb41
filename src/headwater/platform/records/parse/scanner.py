"""A cursor over one text of the grammar."""

import re
from typing import NoReturn

from headwater.platform.records.errors import UnreadableQuery

_NAME = re.compile(r"[\w$ ]+(?:-(?!>)[\w$ ]+)*")
_SPACE = re.compile(r"\s*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
DEEPEST = 50
"""How far brackets may nest, so that no request can exhaust a stack, here or in Postgres."""


class Scanner:
    """Reads `text` from the left; `what` names the grammar in refusals."""

    def __init__(self, text: str, what: str) -> None:
        self.text = text
        self.what = what
        self.position = 0
        self._depth = 0
        self._braces: dict[int, int] | None = None

    def at_end(self) -> bool:
        """Whether all is read."""
        return self.position >= len(self.text)

    def looks_at(self, literal: str) -> bool:
        """Whether `literal` comes next."""
        return self.text.startswith(literal, self.position)

    def took(self, literal: str) -> bool:
        """Read `literal` if it comes next; whether it did."""
        if self.text.startswith(literal, self.position):
            self.position += len(literal)
            return True
        return False

    def take(self, literal: str) -> None:
        """Read `literal`, which must come next."""
        if not self.took(literal):
            self.fail(f'"{literal}"')

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Read what the pattern matches here, if it does."""
        found = pattern.match(self.text, self.position)
        if found:
            self.position = found.end()
        return found

    def take_until(self, pattern: re.Pattern[str]) -> str:
        """Read what the pattern matches here, be it nothing."""
        found = self.match(pattern)
        return found[0] if found else ""

    def closing_brace(self) -> int | None:
        """Where the `{…}` that begins here ends; None if none begins here or it never ends."""
        if not self.looks_at("{"):
            return None
        if (
            self._braces is None
        ):  # one pass for the whole text, so that a text full of braces costs no more than it is long
            self._braces = {}
            opened: list[int] = []
            for place, character in enumerate(self.text):
                if character == "{":
                    opened.append(place)
                elif character == "}" and opened:
                    self._braces[opened.pop()] = place + 1
        return self._braces.get(self.position)

    def skip_space(self) -> None:
        """Read white space, if there is any."""
        self.match(_SPACE)

    def name(self) -> str:
        """A name: quoted with `"`, or made of letters, digits, `_`, `$`, spaces and `-`."""
        if self.looks_at('"'):
            return self.quoted()
        found = self.match(_NAME)
        if not found or not found[0].strip():
            self.fail("field name (* or [a..z0..9_$])")
        return found[0].strip()

    def quoted(self) -> str:
        """A text between `"`, in which a backslash makes the next character plain."""
        found = self.match(_QUOTED)
        if not found:
            self.fail('closing "')
        return unescaped(found[1])

    def enter(self) -> None:
        """Go one bracket deeper; `leave` goes back."""
        self._depth += 1
        if self._depth > DEEPEST:
            self.fail("less nesting")

    def leave(self) -> None:
        """Go back out of a bracket."""
        self._depth -= 1

    def end(self) -> None:
        """Demand that all is read."""
        if not self.at_end():
            self.fail("end of input")

    def fail(self, expected: str) -> NoReturn:
        """Refuse the text at the cursor."""
        found = f'"{self.text[self.position]}"' if not self.at_end() else "end of input"
        raise UnreadableQuery(
            what=self.what,
            text=self.text,
            column=self.position + 1,
            details=f"unexpected {found} expecting {expected}",
        )


def unescaped(text: str) -> str:
    """`text` without the backslashes that make the character after them plain."""
    return _ESCAPE.sub(r"\1", text) if "\\" in text else text
