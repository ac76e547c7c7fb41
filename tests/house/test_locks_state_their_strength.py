"""A lock says how strong it is: a bare `for update` also blocks every foreign key that points at the row."""

import re

import pytest

from tests.house.source import holds_sql, migrations, modules, strings

BARE_ROW_LOCK = re.compile(
    r"\bfor\s+update\b(?!\s*(of\s+[\w.]+\s*)?(nowait\s*|skip\s+locked\s*)?--\s*\w)", re.IGNORECASE
)
POLICY = re.compile(r"\b(create|alter)\s+policy\b[^;]*", re.IGNORECASE)
BARE_TABLE_LOCK = re.compile(r"^\s*lock\s+(table\s+)?[\w.\"]+\s*(;|$)", re.IGNORECASE | re.MULTILINE)


def violations(path: str, text: str) -> list[str]:
    """Locks whose strength is left to a default: write `for no key update` or `for share`; where the row's key
    changes or the row goes, `for update -- why`; and `lock table x in share mode`."""
    statements = POLICY.sub("", text)
    found = [f"{path}: for update without a reason" for _ in BARE_ROW_LOCK.findall(statements)]
    return found + [f"{path}: lock table without a mode" for _ in BARE_TABLE_LOCK.findall(statements)]


def test_every_lock_states_its_strength() -> None:
    written = [(s.path, text) for s in modules() if holds_sql(s.path) for _, text in strings(s.tree)]
    assert [fault for path, text in [*written, *migrations()] for fault in violations(path, text)] == []


@pytest.mark.parametrize(
    "planted",
    [
        "select id from notes.notes where id = $1 for update",
        "select id from notes.notes limit 1 FOR UPDATE SKIP LOCKED",
        "lock table notes.notes;",
        "lock notes.notes",
    ],
)
def test_planted_locks_are_found(planted: str) -> None:
    assert violations("apps/notes/queries.py", planted)


@pytest.mark.parametrize(
    "honest",
    [
        "select id from notes.notes where id = $1 for no key update",
        "select id from notes.notes for key share skip locked",
        "select id from notes.notes for update skip locked -- the row is removed below",
        "create policy mine on notes.notes for update using (true);",
        "lock table notes.notes in share row exclusive mode",
    ],
)
def test_stated_locks_are_welcome(honest: str) -> None:
    assert violations("apps/notes/queries.py", honest) == []
