"""The published Socket.IO client against our sockets: every check of socketio.mjs is a test."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conformance.socketio_server import hall_of_its_own
from tests.conformance.test_clients import checks_of

HERE = Path(__file__).parent
SCRIPT = "socketio.mjs"

pytestmark = pytest.mark.needs("node", "npm")


@pytest.fixture(scope="session")
def outcomes(packages: Path) -> Mapping[str, str | None]:
    """What became of every check."""
    with hall_of_its_own() as url:
        environment = {**os.environ, "HEADWATER_URL": url}
        command = ["node", str(HERE / SCRIPT)]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-4000:]
    told = [json.loads(line) for line in ended.stdout.splitlines()]
    return {outcome["name"]: outcome["failure"] for outcome in told}


@pytest.mark.parametrize("name", checks_of(SCRIPT))
def test_socketio_client(outcomes: Mapping[str, str | None], name: str) -> None:
    assert name in outcomes, "the script never came to this check"
    assert outcomes[name] is None, outcomes[name]
