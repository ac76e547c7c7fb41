"""Nothing in the repository names a package registry's host or a place on somebody's machine."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import ROOT

HOSTS = re.compile(r"\b(files\.|deb\.|registry\.)?(pypi|pythonhosted|npmjs|debian|crates|yarnpkg)\.(org|io|com)\b")
PERSONAL = re.compile(r"(?<![\w.$}/])/(home|Users)/[\w.-]+/")
GENERATED = {"package-lock.json", "requirements.lock", "requirements-dev.lock"}


def violations(path: str, text: str, places: tuple[str, ...] = ()) -> list[str]:
    """Lines that name a registry's host, somebody's home, or one of `places`; locks are checked for hosts only."""
    found: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if host := HOSTS.search(line):
            found.append(f"{path}:{number}: a registry's host: {host[0]}")
        personal = Path(path).name not in GENERATED and (
            PERSONAL.search(line) or any(re.search(rf"(?<![\w./-]){re.escape(place)}\b", line) for place in places)
        )
        if personal:
            found.append(f"{path}:{number}: a path of a machine")
    return found


def tracked() -> Iterator[tuple[str, str]]:
    """Path and text of every file that git tracks or would."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in sorted(filter(None, names)):
        path = ROOT / name
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            yield name, content.decode(errors="replace")


def test_nothing_is_tied_to_a_machine() -> None:
    deep_enough = tuple(str(place) for place in (ROOT, Path.home()) if len(place.parts) > 2)
    assert [fault for path, text in tracked() for fault in violations(path, text, deep_enough)] == []


@pytest.mark.parametrize(
    "planted",
    [f"see {'pypi'}.org", f"https://files.{'pythonhosted'}.org/x", f"in /{'home'}/ada/src", "cd /srv/checkout"],
)
def test_planted_places_are_found(planted: str) -> None:
    assert violations("README.md", f"one\n{planted}\n", ("/srv/checkout",))


def test_ordinary_paths_are_welcome() -> None:
    text = "var/lib/headwater /usr/bin/node $HOME/x /srv/checkouts ~/.headwater https://github.com/x\n"
    assert violations("README.md", text, ("/srv/checkout",)) == []
