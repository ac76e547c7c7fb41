"""The import contracts hold, and each of them can break."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT

SAMPLE = ROOT / "tests" / "kit" / "sample_app"
PLANTS = {
    "Floors": {"kernel/clock.py": "from headwater.platform import planted as _"},
    "Neighbours: apps": {"apps/second/operations.py": "from headwater.apps.first import operations as _"},
    "Neighbours: platform": {"platform/planted/models.py": "from headwater.platform import other as _"},
    "Inside a component": {"apps/first/views.py": "x = 1"},
    "No cycles": {
        "kernel/observe/planted/one.py": "from headwater.kernel.observe.planted import two as _",
        "kernel/observe/planted/two.py": "from headwater.kernel.observe.planted import one as _",
    },
    "Front door": {"apps/second/rules.py": "from headwater.platform.other import operations as _"},
    "SQL is reached": {"apps/first/jobs.py": "from headwater.apps.first import queries as _"},
    "Kernel": {"kernel/models.py": "from headwater.kernel import database as _"},
}
"""For each contract, by the beginning of its name, lines that break it."""
ROOMS = ["apps/first/queries.py", "apps/first/operations.py", "platform/other/operations.py"]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the source tree with the sample app in it, under another name and otherwise as it is."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=ignore)
    shutil.copytree(ROOT / "tests" / "kit", tmp_path / "tests" / "kit", ignore=ignore)
    (tmp_path / "tests/__init__.py").touch()
    for name in ("pyproject.toml", "conftest.py"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(SAMPLE, tmp_path / "src/headwater/apps/notebook", ignore=ignore)
    (tmp_path / "src/headwater/apps/__init__.py").touch()
    return tmp_path


def run(house: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a tool inside the copy, importing the copy's package."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "PYTHONPATH": str(house / "src"),
        "COLUMNS": "200",
    }
    return subprocess.run(command, cwd=house, env=environment, check=False, capture_output=True, text=True)


def test_a_copied_app_passes_every_contract(house: Path) -> None:
    checked = run(house, "lint-imports", "--no-cache")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "0 broken" in checked.stdout


def test_a_copied_app_passes_its_own_tests(house: Path) -> None:
    tested = run(house, "pytest", "-q", "-p", "no:cacheprovider", "src/headwater/apps/notebook")
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_every_contract_can_break(house: Path) -> None:
    for lines in [*PLANTS.values(), dict.fromkeys(ROOMS, "")]:
        for name, line in lines.items():
            path = house / "src/headwater" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / "__init__.py").touch()
            with path.open("a", encoding="utf-8") as planted:
                planted.write(f"\n{line}\n")
    told = run(house, "lint-imports", "--no-cache").stdout
    broken = [line for line in told.splitlines() if line.endswith("BROKEN")]
    unbroken = [contract for contract in PLANTS if not any(line.startswith(contract) for line in broken)]
    assert unbroken == [], told
