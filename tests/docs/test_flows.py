"""The pages of docs/flows name what is there: every place they point at, and one test for each of them."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOWS = ROOT / "docs" / "flows"
PAGES = sorted(page for page in FLOWS.glob("*.md") if page.name != "README.md")
PLACE = re.compile(r"\]\((\.\./\.\./src/[^)]+\.py)\)\s+`([\w.]+)`")
LINK_TO_CODE = re.compile(r"\]\(\.\./\.\./src/[^)]+\.py\)")


def names_in(module: ast.Module) -> set[str]:
    """What a module defines: functions, classes, their methods and its constants."""
    names: set[str] = set()
    for node in module.body:
        match node:
            case ast.ClassDef(name=name, body=body):
                names.add(name)
                methods = (part for part in body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef))
                names.update(f"{name}.{method.name}" for method in methods)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.add(name)
            case ast.Assign(targets=[ast.Name(id=name)]):
                names.add(name)
            case _:
                pass
    return names


def violations(page: Path) -> list[str]:
    """Places in the code that a page names and that are not there."""
    faults: list[str] = []
    for file, name in PLACE.findall(page.read_text("utf-8")):
        source = page.parent / file
        if not source.is_file():
            faults.append(f"{page.name}: no file {file}")
        elif name not in names_in(ast.parse(source.read_text("utf-8"))):
            faults.append(f"{page.name}: no {name} in {file}")
    return faults


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_place_is_there(page: Path) -> None:
    assert violations(page) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_arrow_says_where(page: Path) -> None:
    text = page.read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|")][2:]
    assert len(rows) > 3
    assert [row for row in rows if not PLACE.search(row)] == []
    assert len(LINK_TO_CODE.findall(text)) == len(PLACE.findall(text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_page_is_walked_by_a_test_and_listed(page: Path) -> None:
    test = f"test_{page.stem.replace('-', '_')}.py"
    assert (ROOT / "tests" / "flows" / test).is_file()
    assert f"(../../tests/flows/{test})" in page.read_text("utf-8")
    assert f"({page.name})" in (FLOWS / "README.md").read_text("utf-8")
    assert f"docs/flows/{page.name}" in (ROOT / "tests" / "flows" / test).read_text("utf-8")


def test_planted_faults_are_found(tmp_path: Path) -> None:
    place = tmp_path / "src" / "house.py"
    place.parent.mkdir()
    place.write_text("class House:\n    def open(self): ...\n")
    page = tmp_path / "docs" / "flows" / "planted.md"
    page.parent.mkdir(parents=True)
    rows = ["[a](../../src/house.py) `House.open`", "[b](../../src/house.py) `House.shut`", "[c](../../src/x.py) `y`"]
    page.write_text("\n".join(rows))
    assert violations(page) == [
        "planted.md: no House.shut in ../../src/house.py",
        "planted.md: no file ../../src/x.py",
    ]
