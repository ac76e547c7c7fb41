"""A task nobody waits for loses its errors: only the kernel starts any, and the server one for each request."""

import ast

import pytest

from tests.house.source import Module, everywhere, module

SERVER = "boot/protocol/connection.py"
STARTERS = {"create_task", "ensure_future", "run_coroutine_threadsafe"}


def violations(source: Module) -> list[str]:
    """Names that start a task, outside the kernel."""
    if source.path.startswith("kernel/") or source.path == SERVER:
        return []
    return [
        source.at(node, f"{ast.unparse(node)} outside the kernel")
        for node in ast.walk(source.tree)
        if (isinstance(node, ast.Attribute) and node.attr in STARTERS)
        or (isinstance(node, ast.Name) and node.id in STARTERS)
    ]


def test_no_tasks_above_the_kernel() -> None:
    assert everywhere(violations) == []


@pytest.mark.parametrize("planted", ["asyncio.create_task(f())", "group.create_task(f())", "ensure_future(f())"])
def test_planted_tasks_are_found(planted: str) -> None:
    assert violations(module("flow/respond.py", planted))
    assert violations(module("kernel/bus/listen.py", planted)) == []
