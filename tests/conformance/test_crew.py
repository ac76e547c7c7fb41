"""The published Socket.IO client before `serve --workers 2`, with nothing between them that leads it."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.conformance.runs import checks_of
from tests.kit.server import RunningServer, new_folder

SCRIPT = "crew.mjs"
Outcomes = Mapping[str, str | None]

pytestmark = pytest.mark.needs("node", "npm")


@pytest.fixture(scope="module")
def outcomes(packages: Path) -> Iterator[Outcomes]:
    """What became of every check."""
    folder = new_folder()
    crew = RunningServer(folder, None, "--workers", "2")
    try:
        environment = {
            **os.environ,
            "HEADWATER_URL": crew.url,
            "HEADWATER_ANON_KEY": crew.anon_key,
            "HEADWATER_ADMIN_KEY": crew.admin_key,
        }
        command = ["node", str(packages.parent / SCRIPT)]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-4000:]
        lines = [json.loads(line) for line in ended.stdout.splitlines()]
        yield {line["name"]: line["failure"] for line in lines}
    finally:
        crew.stop()
        shutil.rmtree(folder.parent, ignore_errors=True)


@pytest.mark.parametrize("name", checks_of(SCRIPT))
def test_crew(outcomes: Outcomes, name: str) -> None:
    assert name in outcomes, "the script never came to this check"
    assert outcomes[name] is None, outcomes[name]
