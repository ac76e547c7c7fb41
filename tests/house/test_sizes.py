"""A file of more than 400 lines, or a function of more than 60, holds two things."""

import ast

from tests.house.source import PACKAGE, Module, everywhere, module

FILE_LINES = 400
FUNCTION_LINES = 60


def violations(source: Module, lines: int | None = None) -> list[str]:
    """Functions that are too long, and the file if it is."""
    if lines is None:
        lines = (PACKAGE / source.path).read_text(encoding="utf-8").count("\n")
    found = [f"{source.path}: {lines} lines"] if lines > FILE_LINES else []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                found.append(source.at(node, f"{node.name} has {length} lines"))
    return found


def test_nothing_is_too_long() -> None:
    assert everywhere(violations) == []


def test_planted_lengths_are_found() -> None:
    long_function = "async def add():\n" + "    x = 1\n" * FUNCTION_LINES
    assert violations(module("apps/notes/operations.py", long_function), 61)
    assert violations(module("apps/notes/operations.py", "x = 1\n"), FILE_LINES + 1)
    assert violations(module("apps/notes/operations.py", "x = 1\n"), FILE_LINES) == []
