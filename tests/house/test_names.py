"""A name that says nothing grows without end."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import ROOT, Module, everywhere, module

FILES = {
    "util",
    "utils",
    "helper",
    "helpers",
    "common",
    "misc",
    "service",
    "services",
    "manager",
    "managers",
    "constants",
}
PREFIXES = ("get_", "handle_", "process_")
IDENTIFIERS = {"data", "info"}
OURS_TO_NAME = {"Struct", "Protocol", "Generic", "Enum", "StrEnum", "NamedTuple", "ABC"}
"""Bases that bring no methods of their own to be called."""


def violations(source: Module) -> list[str]:
    """Functions, parameters, variables and fields whose names say nothing; what others named is spared."""
    spared = {inner for node in _named_by_others(source.tree) for inner in ast.walk(node)}
    found: list[str] = []
    for node in ast.walk(source.tree):
        match node:
            case _ if node in spared:
                continue
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                empty = name.lstrip("_").startswith(PREFIXES) or name in IDENTIFIERS
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                empty = name.lstrip("_") in IDENTIFIERS
            case _:
                continue
        if empty:
            found.append(source.at(node, f"{name} says nothing"))
    return found


def _last_word(base: str) -> str:
    """The name of a base without its module; asyncio's Protocol is no `typing.Protocol`."""
    return base if base == "asyncio.Protocol" else base.rpartition(".")[2]


def _named_by_others(tree: ast.Module) -> Iterator[ast.AST]:
    """The methods of classes that stand on somebody else's class."""
    foreign = {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and not _is_ours(node))
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            bases = [ast.unparse(base).partition("[")[0] for base in node.bases]
            if any(b.partition(".")[0] in foreign and _last_word(b) not in OURS_TO_NAME for b in bases):
                yield from (inner for inner in node.body if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef))


def _is_ours(node: ast.ImportFrom) -> bool:
    return node.level > 0 or (node.module or "").startswith("headwater")


def file_violations(paths: list[Path]) -> list[str]:
    """Files and folders whose names say nothing."""
    return [f"{path}: a name that says nothing" for path in paths if FILES & {Path(part).stem for part in path.parts}]


def test_names_say_something() -> None:
    assert everywhere(violations) == []


def test_file_names_say_something() -> None:
    folders = [ROOT / "src", ROOT / "tests", ROOT / "bench"]
    paths = [path.relative_to(ROOT) for folder in folders for path in folder.rglob("*.py")]
    assert file_violations([path for path in paths if "node_modules" not in path.parts]) == []


@pytest.mark.parametrize(
    "planted",
    [
        "def get_note(): ...",
        "async def _handle_note(): ...",
        "def add(data): ...",
        "info = 1",
        "class Note:\n    data: str",
    ],
)
def test_planted_names_are_found(planted: str) -> None:
    assert violations(module("apps/notes/operations.py", planted))


def test_the_words_of_others_are_spared() -> None:
    theirs = "from uvicorn import Base\nclass P(Base):\n    def data_received(self, data): ..."
    ours = "from typing import Protocol\nclass P(Protocol):\n    def receive(self, data): ..."
    assert violations(module("boot/server.py", theirs)) == []
    assert violations(module("boot/server.py", ours))


@pytest.mark.parametrize("planted", ["src/headwater/utils.py", "src/headwater/common/ids.py"])
def test_planted_files_are_found(planted: str) -> None:
    assert file_violations([Path(planted)])
