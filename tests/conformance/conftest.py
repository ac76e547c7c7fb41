"""What the clients' scripts need, and what became of their checks."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conformance.packages import installed_packages
from tests.kit.rest import rest, their_postgres
from tests.kit.server import COMMAND, RunningServer, new_folder

__all__ = ["hasty_server", "open_server", "packages", "rest", "run", "their_postgres"]
HERE = Path(__file__).parent
LONGEST = 300
SHORT_LIVES = {
    "HEADWATER_IDENTITY_ACCESS_LIFETIME": "4",
    "HEADWATER_IDENTITY_REPEAT_WINDOW": "1",
    "HEADWATER_TOKEN_LEEWAY": "0",
}
OPEN = {"HEADWATER_RECORDS_PLAN": "true", "HEADWATER_RECORDS_TX_END": "commit-allow-override"}
Outcomes = dict[str, str | None]
Run = Callable[..., Outcomes]


@pytest.fixture(scope="session")
def packages() -> Path:
    """The installed clients."""
    return installed_packages()


@pytest.fixture(scope="session")
def hasty_server() -> Iterator[RunningServer]:
    """A server whose tokens expire while one waits."""
    folder = new_folder()
    running = RunningServer(folder, SHORT_LIVES)
    yield running
    running.stop()
    shutil.rmtree(folder.parent, ignore_errors=True)


@pytest.fixture(scope="session")
def open_server() -> Iterator[RunningServer]:
    """A server that tells plans and lets callers end their transactions."""
    folder = new_folder()
    running = RunningServer(folder, OPEN)
    yield running
    running.stop()
    shutil.rmtree(folder.parent, ignore_errors=True)


@pytest.fixture(scope="session")
def run(packages: Path, request: pytest.FixtureRequest) -> Run:
    """Runs a script against a server, once, and tells of each check its failure, or None."""

    @cache
    def outcomes_of(fixture: str, script: str, *arguments: str) -> Outcomes:
        server: RunningServer = request.getfixturevalue(fixture)
        environment = {
            **os.environ,
            "HEADWATER_URL": server.url,
            "HEADWATER_ANON_KEY": server.anon_key,
            "HEADWATER_ADMIN_KEY": server.admin_key,
            "HEADWATER_COMMAND": json.dumps([*COMMAND, "mail", "--json", "--data", str(server.folder)]),
        }
        command = ["node", str(HERE / script), *arguments]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=LONGEST)
        assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-4000:]
        told = [json.loads(line) for line in ended.stdout.splitlines()]
        return {outcome["name"]: outcome["failure"] for outcome in told}

    return outcomes_of
