"""Every refusal has a code, a status and a sentence: clients read the first, proxies the second, people the third."""

import ast
from pathlib import Path

import pytest

from tests.house.source import Module, everywhere, module

AMBIGUOUS = 300
"""Multiple Choices (RFC 9110 15.4.1): the dialect's status where a request may mean more than one thing."""
PARTS = {"code", "status", "sentence"}
PLAIN = {"Exception", "RuntimeError", "ValueError", "LookupError", "OSError", "ConnectionError", "TimeoutError"}
"""Failures of the start-up or of the code itself; they never reach the wire as they are."""


def violations(source: Module) -> list[str]:
    """Refusals of an errors module that leave a part to chance, or state a status that is no error.

    A class that others of the module stand on is a kind of refusal, not one.
    """
    if "errors" not in Path(source.path).with_suffix("").parts:
        return []
    classes = {node.name: node for node in source.tree.body if isinstance(node, ast.ClassDef)}
    found: list[str] = []
    parents = {base for node in classes.values() for base in _bases(node)}
    for node in classes.values():
        if node.name.startswith("_") or node.name in parents or not _is_refusal(node, classes):
            continue
        stated = _stated(node, classes)
        found += [source.at(node, f"{node.name} states no {part}") for part in sorted(PARTS - stated.keys())]
        status = stated.get("status")
        if isinstance(status, ast.Constant) and not (
            isinstance(status.value, int) and (400 <= status.value <= 599 or status.value == AMBIGUOUS)
        ):
            found.append(source.at(node, f"{node.name} answers {status.value}"))
    return found


def _bases(node: ast.ClassDef) -> list[str]:
    return [ast.unparse(base).rpartition(".")[2] for base in node.bases]


def _is_refusal(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> bool:
    return any(_is_refusal(classes[b], classes) if b in classes else b not in PLAIN for b in _bases(node))


def _stated(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> dict[str, ast.expr]:
    """What a class states, with what it inherits inside its own module; Refusal's own defaults do not count."""
    found: dict[str, ast.expr] = {}
    for base in _bases(node):
        if base in classes and base != "Refusal":
            found |= _stated(classes[base], classes)
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found[name] = value
            case _:
                pass
    return found


def test_every_refusal_is_complete() -> None:
    assert everywhere(violations) == []


@pytest.mark.parametrize(
    "planted",
    [
        'class NoteNotFound(Refusal):\n    code = "NOT_FOUND"\n    sentence = "Note {id} not found"',
        'class NoteNotFound(Refusal):\n    code = "NOT_FOUND"\n    status = 200\n    sentence = "Note {id} not found"',
        'class Base(Refusal):\n    code = "X"\nclass NoteNotFound(Base):\n    status = 404',
    ],
)
def test_planted_gaps_are_found(planted: str) -> None:
    assert violations(module("apps/notes/errors.py", planted))


def test_parts_may_be_inherited() -> None:
    text = (
        'class NoteNotFound(Refusal):\n    code = "X"\n    status = 404\n    sentence = "No."\n'
        "class DraftNotFound(NoteNotFound):\n    status = 410\nclass Unreadable(ValueError): ..."
    )
    assert violations(module("apps/notes/errors.py", text)) == []
