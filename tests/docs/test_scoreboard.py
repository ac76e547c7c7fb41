"""The page on the scoreboard is executed: its commands typed in, its watcher connected, its settings known."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import pytest

from headwater.apps.scoreboard.models import ScoreboardSettings
from headwater.boot.settings import variable_names
from tests.conformance.packages import installed_packages
from tests.kit.server import RunningServer, new_folder

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "scoreboard.md").read_text("utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXPECTED = re.compile(r" +(?:#|//) (.+)$", re.MULTILINE)
WATCHING = """cat > watch.mjs <<'END'
import {{ createRequire }} from 'node:module'
const WebSocket = createRequire('{packages}/')('ws') // which a browser has
const url = process.env.URL
{script}
socket.addEventListener('message', ({{ data }}) => JSON.parse(data).type === 'scoreboard_update' && socket.close())
END
node watch.mjs
"""


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A server of the page's own."""
    running = RunningServer(new_folder())
    yield running
    running.stop()
    shutil.rmtree(running.folder.parent, ignore_errors=True)


@pytest.mark.needs("node", "npm")
def test_everything_is_typed_in_and_prints_what_the_page_says(server: RunningServer) -> None:
    typed = FENCE.findall(PAGE)
    expected = [text for _, block in typed for text in EXPECTED.findall(block)]
    assert len(expected) == 21
    packages = installed_packages()
    script = "".join(
        block if language == "bash" else WATCHING.format(packages=packages, script=block) for language, block in typed
    )
    done = subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{script}"],
        cwd=server.folder.parent,
        env={**server.environment, "URL": server.url, "ADMIN_KEY": server.admin_key},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.strip() for line in done.stdout.splitlines()] == expected


def test_every_setting_is_one() -> None:
    hints = get_type_hints(ScoreboardSettings, include_extras=True)
    known = {name for field, hint in hints.items() for name in variable_names(ScoreboardSettings, field, hint)}
    assert set(re.findall(r"HEADWATER_[A-Z_]+[A-Z]", PAGE)) <= known
