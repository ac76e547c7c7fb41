"""A part of the settings that says which variables it is read from says the right ones."""

import ast
import re

import pytest

from tests.house.source import Module, everywhere, module

PREFIX = re.compile(r"(HEADWATER_[A-Z_]*?)_?\*")


def violations(source: Module) -> list[str]:
    """Settings structs whose docstring promises another prefix than the class name gives."""
    found: list[str] = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and node.name.endswith("Settings"):
            read_from = f"HEADWATER_{node.name.removesuffix('Settings').upper()}"
            told = PREFIX.match(ast.get_docstring(node) or "")
            if told and told[1] != read_from:
                found.append(source.at(node, f"{node.name} is read from {read_from}_*, not {told[1]}_*"))
    return found


def test_settings_say_their_names() -> None:
    assert everywhere(violations) == []


@pytest.mark.parametrize(
    ("said", "faults"), [("HEADWATER_EVENTS_*; times", 1), ("HEADWATER_EVENT_*.", 0), ("Times.", 0)]
)
def test_planted_names_are_found(said: str, faults: int) -> None:
    text = f'class EventSettings(Struct):\n    """{said}"""'
    assert len(violations(module("kernel/events/models.py", text))) == faults
