"""The page on jobs is executed: its component installed, its commands typed in, its metrics scraped."""

import re
import shutil
import sys
from collections.abc import Iterator

import pytest

from headwater.boot.settings import ServerSettings
from headwater.kernel.database import DatabaseSettings
from headwater.kernel.jobs import JobSettings
from headwater.kernel.vault import VaultSettings
from tests.kit.pages import Page, install_beside, known_settings, must_print, type_in
from tests.kit.server import RunningServer, new_folder
from tests.kit.workers import python_path

PAGE = Page("howto/run-jobs.md")
EXPECTED = re.compile(r"(?:^|\s)# (\S.*)$", re.MULTILINE)
PRELUDE = """set -euo pipefail
call() {{
  curl -fsS {url}/apps/greetings/$1 -H 'authorization: Bearer {key}' -H 'content-type: application/json' -d "$2"
}}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A server with the page's component."""
    folder = new_folder()
    [component] = PAGE.blocks("python")
    place = install_beside(folder, "greetings", component)
    running = RunningServer(folder, {"PYTHONPATH": python_path(place)})
    yield running
    running.stop()
    shutil.rmtree(folder.parent, ignore_errors=True)


def test_everything_is_typed_in_and_prints_what_the_page_says(server: RunningServer) -> None:
    folder = server.folder.with_name("checkout")
    folder.mkdir()
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / ".headwater").symlink_to(server.folder)
    typed = PAGE.typed()
    script = PRELUDE.format(url=server.url, key=server.admin_key) + typed
    printed = type_in(script, folder, server.environment, within=240)
    expected = EXPECTED.findall(typed)
    assert len(expected) == 5
    must_print(printed, expected)
    assert "30 7 * * mon-fri (Europe/Berlin)" in printed
    assert "failed with  ConnectionError: the loudspeaker is off" in printed


def test_every_metric_is_scraped(server: RunningServer) -> None:
    named = PAGE.metrics()
    assert len(named) == 6
    with server.client() as client:
        scraped = client.get("/metrics").text
    assert [name for name in named if name not in scraped and name.removesuffix("_total") not in scraped] == []


def test_every_setting_is_one() -> None:
    assert PAGE.settings() <= known_settings(JobSettings, ServerSettings, DatabaseSettings, VaultSettings)
