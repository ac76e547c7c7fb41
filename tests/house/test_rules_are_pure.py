"""Rules decide and do nothing else: no await, no clock, no input, no output."""

import ast
from pathlib import Path

import pytest

from tests.house.source import Module, everywhere, module

PURE = {
    "bisect", "collections", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools", "ipaddress",
    "itertools",
    "math", "msgspec", "operator", "re", "statistics", "string", "typing", "unicodedata", "urllib.parse", "uuid",
    "zoneinfo",
}  # fmt: skip
HOUSE = {"headwater.kernel.catalog", "headwater.kernel.errors", "headwater.kernel.models", "headwater.kernel.principal"}
NEIGHBOURS = {"models", "errors"}


def violations(source: Module) -> list[str]:
    """Awaits, impure imports and input or output in a module of rules."""
    if "rules" not in Path(source.path).with_suffix("").parts:
        return []
    found: list[str] = []
    for node in ast.walk(source.tree):
        match node:
            case ast.Await() | ast.AsyncFunctionDef() | ast.AsyncFor() | ast.AsyncWith():
                found.append(source.at(node, "a rule waits for nobody"))
            case ast.Call(func=ast.Name(id="open" | "print" | "input" as name)):
                found.append(source.at(node, f"a rule does not {name}"))
            case ast.Import(names=names):
                found += [source.at(node, f"a rule has no use for {a.name}") for a in names if not _pure(a.name)]
            case ast.ImportFrom(module=name, level=level) if not _pure(name or "", level):
                found.append(source.at(node, f"a rule has no use for {name}"))
            case _:
                pass
    return found


def _pure(name: str, level: int = 0) -> bool:
    if level > 0 or name.startswith(("headwater.apps.", "headwater.platform.")):
        parts = name.split(".")
        return (
            not NEIGHBOURS.isdisjoint(parts) or "rules" in parts
        )  # a folder of rules, whose files build on each other
    return name in HOUSE or name in PURE or name.partition(".")[0] in PURE


def test_rules_only_decide() -> None:
    assert everywhere(violations) == []


@pytest.mark.parametrize(
    "planted",
    [
        "async def may_edit(note): ...",
        "import time",
        "import urllib.request",
        "from headwater.kernel.clock import SystemClock",
        "from headwater.apps.notes.queries import find_note",
        "from .operations import Notes",
        "def may_edit(note):\n    return open(note.path).read() == ''",
    ],
)
def test_planted_effects_are_found(planted: str) -> None:
    assert violations(module("apps/notes/rules.py", planted))


def test_pure_imports_are_welcome() -> None:
    text = "import re\nfrom datetime import datetime\nfrom headwater.apps.notes.errors import NoteNotFound\n"
    text += "from headwater.apps.notes.rules.names import must_be_a_name\n"
    assert violations(module("apps/notes/rules.py", text)) == []
