"""The page on what goes beyond PostgREST is executed, and PostgREST would refuse all that it shows."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import pytest

from headwater.boot.settings import ServerSettings, variable_names
from headwater.kernel.database import DatabaseSettings
from headwater.platform.records import RecordsSettings
from tests.kit.server import RunningServer, new_folder

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "beyond-postgrest.md").read_text("utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXPECTED = re.compile(r"\s# (\S.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A server of the page's own."""
    folder = new_folder()
    running = RunningServer(folder)
    yield running
    running.stop()
    shutil.rmtree(folder.parent, ignore_errors=True)


def test_everything_is_typed_in_and_prints_what_the_page_says(server: RunningServer, tmp_path: Path) -> None:
    typed = "".join(text for language, text in FENCE.findall(PAGE) if language == "bash")
    script = f"set -euo pipefail\nurl={server.url} key={server.admin_key}\n{typed}"
    ended = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    expected = EXPECTED.findall(typed)
    assert len(expected) == 20
    lines = iter(ended.stdout.splitlines())
    assert [text for text in expected if text not in lines] == [], ended.stdout


def test_every_setting_is_one() -> None:
    known = {
        name
        for kind in (ServerSettings, DatabaseSettings, RecordsSettings)
        for field, hint in get_type_hints(kind, include_extras=True).items()
        for name in variable_names(kind, field, hint)
    }
    assert set(re.findall(r"HEADWATER_[A-Z_]+", PAGE)) <= known
