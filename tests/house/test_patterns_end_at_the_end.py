"""A pattern that bad input must match ends at the end of the text: Python's `$` lets a newline follow."""

import ast

import pytest

from tests.house.source import Module, everywhere, module


def violations(source: Module) -> list[str]:
    """Patterns of fields that end in a bare `$`; `$(?!\\n)` means the end in Python and in JSON Schema alike."""
    return [
        source.at(node, f"{node.value.value} lets a newline follow")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.keyword)
        and node.arg == "pattern"
        and isinstance(node.value, ast.Constant)
        and str(node.value.value).endswith("$")
    ]


def test_no_newline_may_follow() -> None:
    assert everywhere(violations) == []


@pytest.mark.parametrize(("pattern", "found"), [("^a$", 1), (r"^a$(?!\n)", 0)])
def test_planted_patterns_are_found(pattern: str, found: int) -> None:
    planted = f"class Note(Struct):\n    name: Annotated[str, Meta(pattern={pattern!r})]"
    assert len(violations(module("apps/notes/models.py", planted))) == found
