"""A real `headwater serve` process, as its users start it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx
import pytest

UNHURRIED = {
    "HEADWATER_FLOW_REQUESTS_PER_MINUTE": "100000000",
    "HEADWATER_FLOW_LIMITS_FACTOR": "1000",
    "HEADWATER_MAILING_SENDS_PER_NETWORK": "100000",
    "HEADWATER_MAILING_GUESSES": "1000",
    "HEADWATER_SMTP_MIN_INTERVAL_SECONDS": "0",
}
"""Limits that tests of something else do not meet; an environment of their own says otherwise."""
START_WITHIN = 60.0
STOP_WITHIN = 20.0


class RunningServer:
    """A `headwater serve` on a free port of 127.0.0.1; its output lies in `log` beside its data folder."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        *arguments: str,
        command: Sequence[str] | None = None,
    ) -> None:
        self.folder = folder
        self.command = command or COMMAND
        self.environment = {**os.environ, **UNHURRIED, **(environment or {})}
        self.arguments = arguments
        self.log = folder.with_name(folder.name + ".log")
        self.start()
        try:
            keys = json.loads(self.run("keys", "--json"))
        except BaseException:
            self.kill()
            raise
        self.anon_key: str = keys["anon_key"]
        self.admin_key: str = keys["admin_key"]

    def start(self, port: int = 0) -> None:
        """Start the process, on `port` if one is given, and return once it is ready."""
        address = self.folder / "server.url"
        address.unlink(missing_ok=True)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*self.command, "serve", "--data", str(self.folder), "--port", str(port), *self.arguments],
                stdout=output,
                stderr=output,
                env=self.environment,
            )
        end = time.monotonic() + START_WITHIN
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            if address.exists():
                self.url = address.read_text().strip()
                if self.is_ready():
                    return
            time.sleep(0.05)
        self.process.kill()
        raise AssertionError(f"the server did not start:\n{self.log.read_text()[-4000:]}")

    def start_again(self) -> None:
        """Start it at the address that it had."""
        self.start(int(self.url.rpartition(":")[2]))

    def is_ready(self) -> bool:
        """Whether /ready answers 200 now."""
        try:
            return httpx.get(self.url + "/ready", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def run(self, *arguments: str) -> str:
        """What another `headwater` command says about this server's folder."""
        command = [*self.command, *arguments, "--data", str(self.folder)]
        return subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True).stdout

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def kill(self) -> None:
        """End it with SIGKILL."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def client(self, key: str | None = None) -> httpx.Client:
        """A client that shows `key`, or nothing."""
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)

    def sign_up(self, email: str, password: str = "correct horse") -> str:
        """Make a user; the access token."""
        with self.client(self.anon_key) as client:
            answer = client.post("/api/auth/users", json={"email": email, "password": password})
            answer.raise_for_status()
            return answer.json()["accessToken"]

    def sql(self, query: str, *parameters: object) -> list[dict[str, object]]:
        """Run SQL as the admin; its rows."""
        with self.client(self.admin_key) as client:
            answer = client.post("/api/database/advance/rawsql", json={"query": query, "params": parameters})
            assert answer.status_code == 200, answer.text
            return answer.json()["rows"]


COMMAND = (sys.executable, "-m", "headwater")


def new_folder() -> Path:
    """An empty place for a data folder, which the database's user can reach when root runs the tests."""
    parent = Path(tempfile.mkdtemp(prefix="hw"))
    parent.chmod(0o755)
    return parent / "data"


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    """One server for the tests that leave it as they found it."""
    folder = new_folder()
    running = RunningServer(folder)
    yield running
    code = running.stop()
    log = running.log.read_text()
    shutil.rmtree(folder.parent, ignore_errors=True)
    assert code == 0, log[-4000:]


@pytest.fixture
def own_server() -> Iterator[RunningServer]:
    """A server of the test's own, to be hurt."""
    folder = new_folder()
    running = RunningServer(folder)
    yield running
    if running.process.poll() is None:
        running.stop()
    shutil.rmtree(folder.parent, ignore_errors=True)
