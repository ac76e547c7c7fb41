"""The page on jobs is executed: its component installed, its commands typed in, its metrics scraped."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import pytest

from headwater.boot.settings import ServerSettings, variable_names
from headwater.kernel.database import DatabaseSettings
from headwater.kernel.jobs import JobSettings
from headwater.kernel.vault import VaultSettings
from tests.kit.server import RunningServer, new_folder
from tests.kit.workers import python_path

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "run-jobs.md").read_text("utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXPECTED = re.compile(r"(?:^|\s)# (\S.*)$", re.MULTILINE)
METRIC = re.compile(r"^\| `(headwater_\w+)` ", re.MULTILINE)
PRELUDE = """set -euo pipefail
call() {{
  curl -fsS {url}/apps/greetings/$1 -H 'authorization: Bearer {key}' -H 'content-type: application/json' -d "$2"
}}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A server with the page's component."""
    folder = new_folder()
    place = folder.with_name("plug-in")
    about = place / "greetings-1.dist-info"
    about.mkdir(parents=True)
    [component] = [text for language, text in FENCE.findall(PAGE) if language == "python"]
    (place / "greetings").mkdir()
    (place / "greetings" / "__init__.py").write_text(component)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: greetings\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[headwater.components]\ngreetings = greetings:COMPONENT\n")
    running = RunningServer(folder, {"PYTHONPATH": python_path(place)})
    yield running
    running.stop()
    shutil.rmtree(folder.parent, ignore_errors=True)


def test_everything_is_typed_in_and_prints_what_the_page_says(server: RunningServer) -> None:
    folder = server.folder.with_name("checkout")
    folder.mkdir()
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / ".headwater").symlink_to(server.folder)
    typed = "".join(text for language, text in FENCE.findall(PAGE) if language == "bash")
    script = PRELUDE.format(url=server.url, key=server.admin_key) + typed
    ended = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=server.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    expected = EXPECTED.findall(typed)
    assert len(expected) == 5
    lines = iter(ended.stdout.splitlines())
    assert [text for text in expected if text not in lines] == [], ended.stdout
    assert "30 7 * * mon-fri (Europe/Berlin)" in ended.stdout
    assert "failed with  ConnectionError: the loudspeaker is off" in ended.stdout


def test_every_metric_is_scraped(server: RunningServer) -> None:
    named = METRIC.findall(PAGE)
    assert len(named) == 6
    with server.client() as client:
        scraped = client.get("/metrics").text
    assert [name for name in named if name not in scraped and name.removesuffix("_total") not in scraped] == []


def test_every_setting_is_one() -> None:
    known = {
        name
        for kind in (JobSettings, ServerSettings, DatabaseSettings, VaultSettings)
        for field, hint in get_type_hints(kind, include_extras=True).items()
        for name in variable_names(kind, field, hint)
    }
    assert set(re.findall(r"HEADWATER_[A-Z_]+", PAGE)) <= known
