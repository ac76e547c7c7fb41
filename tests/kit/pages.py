"""Pages of the documentation that are executed: their blocks, typed in as a reader does."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import get_type_hints

import msgspec

from headwater.boot.settings import variable_names

_DOCS = Path(__file__).parents[2] / "docs"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Page:
    """One page under docs/."""

    def __init__(self, path: str) -> None:
        self.text = (_DOCS / path).read_text("utf-8")

    def blocks(self, language: str) -> list[str]:
        """The fenced blocks of a language, in their order."""
        return [text for found, text in _FENCE.findall(self.text) if found == language]

    def typed(self) -> str:
        """Every command of the page."""
        return "".join(self.blocks("bash"))

    def metrics(self) -> list[str]:
        """The metrics that the page's table lists."""
        return re.findall(r"^\| `(headwater_\w+)` ", self.text, re.MULTILINE)

    def settings(self) -> set[str]:
        """Every variable that the page names."""
        return set(re.findall(r"HEADWATER_[A-Z_]+", self.text))


def type_in(script: str, folder: Path, environment: Mapping[str, str], *, within: float = 60) -> str:
    """What commands print that all succeed; `within` so many seconds."""
    ended = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=within,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def must_print(printed: str, expected: list[str]) -> None:
    """Assert that these lines were printed, in this order, whatever stands between them."""
    lines = iter(printed.splitlines())
    assert [text for text in expected if text not in lines] == [], printed


def install_beside(folder: Path, name: str, component: str) -> Path:
    """The folder from which Python imports a component's source as one that is installed."""
    place = folder.with_name("plug-in")
    (place / name).mkdir(parents=True)
    (place / name / "__init__.py").write_text(component)
    write_entry_point(place, name, name)
    return place


def write_entry_point(place: Path, name: str, package: str) -> None:
    """Let a package in a folder count as an installed plug-in, as its wheel would."""
    about = place / f"{package}-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package.replace('_', '-')}\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"[headwater.components]\n{name} = {package}:COMPONENT\n")


def known_settings(*parts: type[msgspec.Struct]) -> set[str]:
    """Every variable that these settings are read from."""
    return {
        name
        for part in parts
        for field, hint in get_type_hints(part, include_extras=True).items()
        for name in variable_names(part, field, hint)
    }
