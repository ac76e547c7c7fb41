"""A function that is called, and with what."""

from typing import Literal

import msgspec

from headwater.platform.records.models.relationship import Place


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """An argument of a call: its value waits in `slot`, or is a member of the body.

    `name` is empty where the one argument has none: it takes the whole body.
    """

    name: str
    type: str
    slot: int | None = None
    variadic: bool = False


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A function and its arguments; `sql/call.py` writes it.

    `body` says what of the request's body the arguments take: nothing, the members of its object, or all of it as text
    or as bytes. `reads` where the function may change nothing; `stable` where it says so itself. `settings` are the
    function's own that must hold before the statement begins.
    """

    place: Place
    returns: Literal["rows", "row", "values", "value", "nothing"] = "rows"
    given: tuple[Given, ...] = ()
    body: Literal["none", "members", "text", "bytes"] = "none"
    reads: bool = True
    stable: bool = False
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def many(self) -> bool:
        """Whether any number of rows or values may come."""
        return self.returns in {"rows", "values"}
