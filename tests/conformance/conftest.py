"""What the clients' scripts need, and what became of their checks."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conformance.packages import installed_packages
from tests.kit.rest import rest, their_postgres
from tests.kit.server import COMMAND, RunningServer, new_folder

__all__ = ["hasty_server", "open_server", "packages", "rest", "run", "strict_server", "their_postgres"]
HERE = Path(__file__).parent
LONGEST = 300
SHORT_LIVES = {
    "HEADWATER_IDENTITY_ACCESS_LIFETIME": "4",
    "HEADWATER_IDENTITY_REPEAT_WINDOW": "1",
    "HEADWATER_TOKEN_LEEWAY": "0",
    "HEADWATER_MAILING_CODE_LIFETIME": "4",
    "HEADWATER_MAILING_OTP_LIFETIME": "4",
    "HEADWATER_MAILING_LINK_LIFETIME": "4",
}
OPEN = {
    "HEADWATER_RECORDS_PLAN": "true",
    "HEADWATER_RECORDS_TX_END": "commit-allow-override",
    "HEADWATER_IDENTITY_ALLOW_ANONYMOUS": "true",
}
STRICT = {
    "HEADWATER_IDENTITY_FAILURES_PER_ACCOUNT": "3",
    "HEADWATER_MAILING_GUESSES": "4",
    "HEADWATER_MAILING_SENDS_PER_NETWORK": "12",
    "HEADWATER_SMTP_MIN_INTERVAL_SECONDS": "60",
}


class Outcome(NamedTuple):
    """What became of a check: its failure, or None, and the clients' methods that it called."""

    failure: str | None
    called: frozenset[str]


Outcomes = dict[str, Outcome]
Run = Callable[..., Outcomes]


@pytest.fixture(scope="session")
def packages() -> Path:
    """The installed clients."""
    return installed_packages()


@contextmanager
def server_with(environment: Mapping[str, str]) -> Generator[RunningServer]:
    """A server of other settings, until it is no longer needed."""
    folder = new_folder()
    running = RunningServer(folder, environment)
    yield running
    running.stop()
    shutil.rmtree(folder.parent, ignore_errors=True)


@pytest.fixture(scope="session")
def hasty_server() -> Iterator[RunningServer]:
    """A server whose tokens and codes expire while one waits."""
    with server_with(SHORT_LIVES) as running:
        yield running


@pytest.fixture(scope="session")
def open_server() -> Iterator[RunningServer]:
    """A server that tells plans, lets callers end their transactions, and knows users without a name."""
    with server_with(OPEN) as running:
        yield running


@pytest.fixture(scope="session")
def strict_server() -> Iterator[RunningServer]:
    """A server whose patience is short."""
    with server_with(STRICT) as running:
        yield running


@pytest.fixture(scope="session")
def run(packages: Path, request: pytest.FixtureRequest) -> Run:
    """Runs a script against a server, once, and tells the outcome of each check."""

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
        return {line["name"]: Outcome(line["failure"], frozenset(line["called"])) for line in told}

    return outcomes_of
