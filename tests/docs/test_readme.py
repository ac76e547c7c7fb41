"""The README is executed: its commands in a fresh folder beside a running server, its promises one by one."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conformance.packages import installed_packages
from tests.kit.server import RunningServer, new_folder

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXPECTED = re.compile(r"\s(?:#|//) (\[.*\])$", re.MULTILINE)
ADDRESS = re.compile(r"`(/[\w./-]*)`")
COMMAND = re.compile(r"`headwater (\w+)")
TARGET = re.compile(r"`make (\w+)")


class Screen(NamedTuple):
    """A terminal beside a running server: its folder, what was typed, what came of it."""

    server: RunningServer
    folder: Path
    typed: str
    printed: str

    @property
    def keys(self) -> str:
        """The commands that a script begins with, which read the keys."""
        return blocks("One screen of use", "bash")[0]


def section(heading: str) -> str:
    """The text under a heading of the README."""
    _, found, rest = README.partition(f"\n## {heading}\n")
    assert found, f"no heading {heading}"
    return rest.partition("\n## ")[0]


def blocks(heading: str, language: str) -> list[str]:
    """The fenced blocks of one language under a heading."""
    return [text for name, text in FENCE.findall(section(heading)) if name == language]


def type_in(folder: Path, script: str) -> str:
    """What bash prints for a script, which must not fail anywhere."""
    command = ["bash", "-c", f"set -euo pipefail\n{script}"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def must_print(printed: str, expected: list[str]) -> None:
    """Every expected text is a line of what was printed, in this order."""
    lines = iter(printed.splitlines())
    missing = [text for text in expected if text not in lines]
    assert not missing, printed


@pytest.fixture(scope="module")
def screen() -> Iterator[Screen]:
    """`make serve` done, as far as the commands can tell, and the first screen typed in beside it."""
    data = new_folder()
    server = RunningServer(data)
    folder = data.with_name("headwater")
    folder.mkdir()
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / ".headwater").symlink_to(data)
    if shutil.which("npm"):
        (folder / "node_modules").symlink_to(installed_packages())
    typed = "".join(blocks("One screen of use", "bash"))
    try:
        yield Screen(server, folder, typed, type_in(folder, typed))
    finally:
        server.stop()
        shutil.rmtree(data.parent, ignore_errors=True)


def test_each_user_sees_only_their_own(screen: Screen) -> None:
    expected = EXPECTED.findall(screen.typed)
    assert len(expected) == 3
    must_print(screen.printed, expected)


@pytest.mark.needs("node", "npm")
def test_the_same_from_javascript(screen: Screen) -> None:
    (module,) = blocks("The same from JavaScript", "js")
    (command,) = blocks("The same from JavaScript", "bash")
    (screen.folder / "todos.mjs").write_text(module)
    must_print(type_in(screen.folder, screen.keys + command), EXPECTED.findall(module))


@pytest.mark.needs("node", "npm")
def test_live(screen: Screen) -> None:
    (module,) = blocks("Live", "js")
    (screen.folder / "live.mjs").write_text(module)
    must_print(type_in(screen.folder, screen.keys + "".join(blocks("Live", "bash"))), EXPECTED.findall(module))


def test_every_address_answers(screen: Screen) -> None:
    addresses = ADDRESS.findall(section("What is here"))
    assert "/health" in addresses
    with screen.server.client(screen.server.admin_key) as client:
        table = {f"{place}/todos" for place in addresses if place in {"/api/database/records", "/rest/v1"}}
        assert len(table) == 2
        pages = {*addresses, *table} - {"/api/database/records", "/rest/v1"}
        assert {page: client.get(page).status_code for page in pages} == dict.fromkeys(pages, 200)


def test_every_command_is_there() -> None:
    commands = {"serve", *COMMAND.findall(README)}
    for command in commands:
        subprocess.run([sys.executable, "-m", "headwater", command, "--help"], check=True, capture_output=True)


def test_every_target_is_there() -> None:
    for target in {"serve", *TARGET.findall(README)}:
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True)


def test_serve_starts_the_server_where_it_is_told() -> None:
    (start,) = blocks("Start", "sh")
    assert start.splitlines()[-1] == "make serve"
    (arguments,) = re.findall(r'`make serve ARGS="([^"]+)"`', README)
    command = ["make", "--no-print-directory", "--dry-run", "serve", f"ARGS={arguments}"]
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}  # the suite runs in make
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, env=alone).stdout
    assert told.splitlines()[-1].endswith(f"headwater serve {arguments}")


def test_everything_bash_is_executed() -> None:
    headings = ("One screen of use", "The same from JavaScript", "Live")
    executed = [block for heading in headings for block in blocks(heading, "bash")]
    assert [text for name, text in FENCE.findall(README) if name == "bash"] == executed
    assert {name for name, _ in FENCE.findall(README)} == {"sh", "bash", "js"}
