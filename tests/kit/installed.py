"""Headwater as others have it: built as a wheel and installed in a virtual environment of its own, with no network."""

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.server import new_folder

ROOT = Path(__file__).parents[2]
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
OFFLINE = ("--no-index", "--no-deps", "--no-build-isolation")
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "1"

[project.entry-points."headwater.components"]
{name} = "{name}:COMPONENT"
"""


class Environment:
    """A virtual environment that holds this checkout's wheel, and sees the packages that this one has.

    It does not see the checkout: a line of a `.pth` file adds a folder, and the `.pth` files in that are not read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        [packages] = folder.glob("lib/python*/site-packages")
        (packages / "neighbours.pth").write_text(sysconfig.get_path("purelib") + "\n")
        self.packages = packages

    def stand_for(self, checkout: Path) -> None:
        """See a checkout as one sees it that is installed there to be worked on; with the commands its pages name."""
        (self.packages / "checkout.pth").write_text(f"{checkout / 'src'}\n")
        for name, module in (("headwater", "headwater.cli"), ("pip", "pip._internal.cli.main"), ("pytest", "pytest")):
            script = self.folder / "bin" / name
            script.write_text(f"#!{self.python}\nimport sys\nfrom {module} import main\nsys.exit(main())\n")
            script.chmod(0o755)

    @property
    def command(self) -> tuple[str, ...]:
        """Its `headwater`."""
        return str(self.python), "-I", "-m", "headwater"

    def install(self, *what: Path) -> None:
        """Install wheels or projects; nothing is fetched."""
        told = [str(each) for each in what]
        subprocess.run([*PIP, "--python", str(self.python), "install", *OFFLINE, *told], check=True)

    def run(self, *arguments: str, folder: Path | None = None) -> str:
        """What its `headwater` prints."""
        ended = subprocess.run(
            [*self.command, *arguments], cwd=folder or self.folder, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout


def build_wheel(project: Path, target: Path) -> Path:
    """The wheel of a project."""
    subprocess.run([*PIP, "wheel", *OFFLINE, "--wheel-dir", str(target), str(project)], check=True)
    [wheel] = target.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def environment() -> Iterator[Environment]:
    """An environment with the wheel installed."""
    place = new_folder().parent
    try:
        made = Environment(place / "environment")
        made.install(build_wheel(ROOT, place / "wheels"))
        yield made
    finally:
        shutil.rmtree(place, ignore_errors=True)
