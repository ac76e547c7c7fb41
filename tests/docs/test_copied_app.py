"""The scoreboard's README says how another app is made of it: that is done, and the house takes it in."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.installed import ROOT

README = (ROOT / "src" / "headwater" / "apps" / "scoreboard" / "README.md").read_text("utf-8")
SCRIPT = re.compile(r"^```bash\n(cp -r .*?)^```$", re.MULTILINE | re.DOTALL)
CHECKOUT = ("src", "web", "pyproject.toml")
NAMES = "from headwater.boot.components import find_components; print(*(each.name for each in find_components()))"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A checkout of one's own, with the tools of this one."""
    for name in CHECKOUT:
        whole = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        whole(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    return tmp_path


def test_the_scoreboard_copied_and_renamed_is_another_app_beside_it(clone: Path) -> None:
    [script] = SCRIPT.findall(README)

    def said(*command: str) -> str:
        ended = subprocess.run(
            command,
            cwd=clone,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(clone / "src")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    said("bash", "-euo", "pipefail", "-c", script)
    assert {"scoreboard", "league"} <= set(said(sys.executable, "-c", NAMES).split())
    left = subprocess.run(["grep", "-rliI", "scoreboard", "src/headwater/apps/league"], cwd=clone, check=False)
    assert left.returncode == 1, "nothing of the other is left in it"
