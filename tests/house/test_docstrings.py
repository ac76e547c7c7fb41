"""A public function says what it promises; a module says in one line what it is for."""

import ast

import pytest

from tests.house.source import Module, everywhere, module

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def violations(source: Module) -> list[str]:
    """Public functions, classes and methods without a docstring, and modules without their one line."""
    prose = ast.get_docstring(source.tree)
    found: list[str] = []
    if not prose or ("\n" in prose and not source.path.endswith("__init__.py")):
        found.append(f"{source.path}:1: the module's docstring is one line")
    pending: list[ast.Module | ast.ClassDef] = [source.tree]
    while pending:
        for node in pending.pop().body:
            if isinstance(node, Definition) and not node.name.startswith("_") and not _is_told_elsewhere(node):
                if not ast.get_docstring(node):
                    found.append(source.at(node, f"{node.name} promises nothing"))
                if isinstance(node, ast.ClassDef):
                    pending.append(node)
    return found


def _is_told_elsewhere(node: Definition) -> bool:
    names = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    return bool(names & {"override", "overload", "setter"})


def test_everything_public_promises_something() -> None:
    assert everywhere(violations) == []


@pytest.mark.parametrize(
    "planted",
    [
        "x = 1",
        '"""One line.\n\nAnd more.\n"""',
        '"""One line."""\ndef add(): ...',
        '"""One line."""\nclass Notes:\n    """Notes."""\n    async def add(self): ...',
    ],
)
def test_planted_silence_is_found(planted: str) -> None:
    assert violations(module("apps/notes/operations.py", planted))


def test_private_and_inherited_words_are_spared() -> None:
    text = '"""One line."""\ndef _add(): ...\nclass _A:\n    def f(self): ...\n'
    assert violations(module("apps/notes/operations.py", text)) == []
