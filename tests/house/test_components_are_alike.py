"""Whoever has read one component can find his way in all of them."""

import ast
import tomllib
from pathlib import Path

import pytest

from tests.house.source import PACKAGE, ROOT

BESIDE = {"__init__.py", "README.md", "migrations", "page", "tests", "static"}
REQUIRED = {"README.md", "operations", "endpoints"}


def rooms() -> set[str]:
    """The modules a component may have: those its import contract names."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(contract["layers"] for contract in contracts if contract["name"].startswith("Inside a component"))
    names = " ".join(layers).replace("|", " ").replace(":", " ").split()
    return {name.strip("()") for name in names}


def violations(folder: Path) -> list[str]:
    """Files and folders a component may not have, those it lacks, and a card that is more than a card."""
    entries = {entry.name for entry in folder.iterdir() if entry.name != "__pycache__"}
    allowed = BESIDE | {f"{name}.py" for name in rooms()} | rooms()
    found = [f"{folder.name}/{entry} is no part of a component" for entry in sorted(entries - allowed)]
    found += [f"{folder.name} has no {entry}" for entry in sorted(REQUIRED - {e.removesuffix(".py") for e in entries})]
    card = (
        ast.parse((folder / "__init__.py").read_text(encoding="utf-8")) if "__init__.py" in entries else ast.parse("")
    )
    if not ast.get_docstring(card):
        found.append(f"{folder.name} has no card")
    if "COMPONENT" not in {node.id for node in ast.walk(card) if isinstance(node, ast.Name)}:
        found.append(f"{folder.name} declares no COMPONENT")
    if any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for node in ast.walk(card)):
        found.append(f"{folder.name} has logic in its card")
    return found


def components() -> list[Path]:
    """Every folder under platform/ and apps/."""
    floors = [PACKAGE / "platform", PACKAGE / "apps"]
    return sorted(card.parent for floor in floors for card in floor.glob("*/__init__.py"))


def test_a_component_has_what_it_may_have() -> None:
    assert [fault for folder in components() for fault in violations(folder)] == []


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""Notes: a card."""\n\nCOMPONENT = 1\n')
    for name in ("README.md", "operations.py", "endpoints.py"):
        (folder / name).touch()
    return folder


def test_a_small_component_is_welcome(notes: Path) -> None:
    assert violations(notes) == []


@pytest.mark.parametrize("planted", ["helpers.py", "views.py", "assets"])
def test_planted_files_are_found(notes: Path, planted: str) -> None:
    (notes / planted).touch()
    assert violations(notes) == [f"notes/{planted} is no part of a component"]


def test_missing_parts_are_found(notes: Path) -> None:
    (notes / "README.md").unlink()
    (notes / "__init__.py").write_text("def add(): ...\n")
    assert violations(notes) == [
        "notes has no README.md",
        "notes has no card",
        "notes declares no COMPONENT",
        "notes has logic in its card",
    ]
