"""The page on row changes is executed: its commands typed in, its client run."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import pytest

from headwater.boot.settings import variable_names
from headwater.platform.realtime.models import RealtimeSettings
from headwater.platform.realtime.rules import OPERATORS
from tests.conformance.packages import installed_packages
from tests.kit.server import RunningServer, new_folder

pytestmark = pytest.mark.needs("node", "npm")
PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "row-changes.md").read_text("utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PRINTED = {"bash": re.compile(r"^# (\S.*)$", re.MULTILINE), "js": re.compile(r"^// (\S.*)$", re.MULTILINE)}
TYPED: dict[str, str] = dict(FENCE.findall(PAGE))
PRELUDE = """set -euo pipefail
call() {{
  curl -fsS -X $1 {url}/api/$2 -H 'authorization: Bearer {key}' -H 'content-type: application/json' ${{3:+-d "$3"}}
  echo
}}
"""
CONSTANTS = """const URL = '{url}', ANON_KEY = '{anon}';
const sql = async (query) => {{
  const headers = {{ authorization: 'Bearer {key}', 'content-type': 'application/json' }};
  const body = JSON.stringify({{ query }});
  const answer = await fetch(`${{URL}}/api/database/advance/rawsql`, {{ method: 'POST', headers, body }});
  if (!answer.ok) throw new Error(await answer.text());
  await new Promise((resolve) => setTimeout(resolve, 300));
}};
"""


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A server of the page's own."""
    running = RunningServer(new_folder())
    yield running
    running.stop()
    shutil.rmtree(running.folder.parent, ignore_errors=True)


def ran(server: RunningServer, command: list[str]) -> list[str]:
    """The lines that a program prints; it must end well."""
    ended = subprocess.run(command, env=server.environment, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.splitlines()


def test_everything_prints_what_the_page_says(server: RunningServer) -> None:
    places = {"url": server.url, "key": server.admin_key, "anon": server.anon_key}
    printed = ran(server, ["bash", "-c", PRELUDE.format(**places) + TYPED["bash"]])
    assert printed == PRINTED["bash"].findall(TYPED["bash"])
    script = installed_packages() / "row-changes.mjs"
    script.write_text(TYPED["js"].replace("\n\n", "\n\n" + CONSTANTS.format(**places), 1) + "socket.close();\n")
    assert ran(server, ["node", str(script)]) == PRINTED["js"].findall(TYPED["js"])


def test_what_the_page_names_is_there() -> None:
    hints = get_type_hints(RealtimeSettings)
    names = {name for field, hint in hints.items() for name in variable_names(RealtimeSettings, field, hint)}
    assert set(re.findall(r"`(HEADWATER_\w+)`", PAGE)) <= names
    assert " ".join(OPERATORS) in PAGE
