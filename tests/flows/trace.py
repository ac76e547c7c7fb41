"""What a request met on its way, in its order."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from fnmatch import fnmatchcase
from typing import Any

import asyncpg
import pytest

from headwater.flow import Request
from headwater.kernel.database import Lease, Login

OWNER, ADMIN, USER, ANON = Login.OWNER.value, Login.ADMIN.value, Login.AUTHENTICATED.value, Login.ANON.value
Step = Callable[..., str]
"""Takes the arguments of a call, and says what to note of it."""

_followed: ContextVar[object] = ContextVar("followed", default=None)
_STATEMENTS = ("execute", "executemany", "fetch", "fetchrow", "fetchval")


class Trace:
    """Everything that a followed request met, in its order: `kind: what`.

    Kinds are `stage`, `take` and `give back` (a connection of a login), `sql`, and `call` for what a test watches.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.steps: list[str] = []
        self._patch = patch
        self._current: object = self
        self._everybody = False
        self.watch(Request, "enters", _entered)
        self.watch(Lease, "take", _taken)
        self.watch(Lease, "give_back", _given_back)
        for name in _STATEMENTS:
            self.watch(asyncpg.Connection, name, _run)

    def watch(self, owner: Any, name: str, step: Step | None = None) -> None:
        """From now on note calls of `owner.name`, when they begin."""
        original = getattr(owner, name)
        called = f"call: {getattr(owner, '__name__', '').rpartition('.')[2]}.{name}"

        def watched(*arguments: Any, **options: Any) -> Any:
            if self._everybody or _followed.get() is self._current:
                self.steps.append(called if step is None else step(*arguments, **options))
            return original(*arguments, **options)

        self._patch.setattr(owner, name, watched)

    @contextmanager
    def following(self) -> Generator[None]:
        """Note, from nothing, what this task does and the tasks it begins do, for the length of a block."""
        self.steps.clear()
        self._current = object()
        token = _followed.set(self._current)
        try:
            yield
        finally:
            _followed.reset(token)
            self._current = self

    @contextmanager
    def following_everybody(self) -> Generator[None]:
        """The same with whatever else goes on meanwhile: for what a request sets going in tasks that were there."""
        self.steps.clear()
        self._everybody = True
        try:
            yield
        finally:
            self._everybody = False

    @property
    def stages(self) -> list[str]:
        """The stages entered."""
        return [step.removeprefix("stage: ") for step in self.steps if step.startswith("stage: ")]

    def must_pass(self, *drawn: str) -> None:
        """Fail unless the steps hold these, in this order, with others between them; `*` stands for any text."""
        rest = iter(self.steps)
        for wanted in drawn:
            if not any(fnmatchcase(step, wanted) for step in rest):
                told = "\n  ".join(self.steps)
                pytest.fail(f"not met, or not in the drawn order: {wanted}\n  {told}", pytrace=False)

    def must_not_pass(self, *unwanted: str) -> None:
        """Fail if any step is one of these."""
        met = [step for step in self.steps if any(fnmatchcase(step, pattern) for pattern in unwanted)]
        assert met == []

    def holds_a_connection_at(self, wanted: str) -> bool:
        """Whether a connection was in somebody's hands when the step began."""
        before = self.steps[: self.steps.index(wanted)]
        return sum(s.startswith("take: ") for s in before) > sum(s.startswith("give back: ") for s in before)


def noting(template: str) -> Step:
    """A step that fills in a call's arguments by their places, `{1.name}`, as `str.format` does; `{0}` is its owner."""

    def note(*arguments: Any, **options: Any) -> str:
        return template.format(*arguments, **options)

    return note


def _entered(_request: Request, stage: str) -> str:
    return f"stage: {stage}"


def _taken(_lease: Lease, login: Login) -> str:
    return f"take: {login}"


def _given_back(_lease: Lease, login: Login, *_: object, **__: object) -> str:
    return f"give back: {login}"


def _run(_connection: object, statement: str, *_: object, **__: object) -> str:
    return f"sql: {' '.join(statement.split())}"
