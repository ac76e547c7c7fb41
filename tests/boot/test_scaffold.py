"""`headwater app new` writes an app that needs no touch of a hand."""

import subprocess
import sys
from pathlib import Path

import pytest

from headwater.boot.scaffold import BadName, FolderTaken, write_app
from tests.house.source import ROOT
from tests.house.test_components_are_alike import violations

SAMPLE = ROOT / "tests" / "kit" / "sample_app"


def _texts(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


def test_the_sample_app_is_its_output(tmp_path: Path) -> None:
    written = write_app("sample_app", tmp_path)

    assert _texts(tmp_path / "sample_app") == _texts(SAMPLE)
    assert sorted(path.relative_to(tmp_path / "sample_app").as_posix() for path in written) == sorted(_texts(SAMPLE))


@pytest.mark.parametrize("name", ["x", "meal_plans", "a_name_of_forty_letters_is_the_longest_1"])
def test_any_name_is_tidy(tmp_path: Path, name: str) -> None:
    write_app(name, tmp_path)

    assert violations(tmp_path / name) == []
    for command in (["check"], ["format", "--check"]):
        ruff = [str(Path(sys.executable).parent / "ruff"), *command, "--config", str(ROOT / "pyproject.toml"), "."]
        checked = subprocess.run(ruff, cwd=tmp_path, check=False, capture_output=True, text=True)
        assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Meals",
        "meal-plans",
        "2meals",
        "_meals",
        "meals_",
        "meal__plans",
        "class",
        "auth",
        "pg_meals",
        "a" * 41,
        "../x",
    ],
)
def test_a_bad_name_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadName, match="cannot name an app: use lower-case letters"):
        write_app(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "meals").mkdir()
    with pytest.raises(FolderTaken, match="exists already"):
        write_app("meals", tmp_path)
    assert list((tmp_path / "meals").iterdir()) == []
