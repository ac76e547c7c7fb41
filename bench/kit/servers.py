"""Starting the servers under test, each on the server core, and ending them by their process id."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.kit.machine import HELPERS_CORE, SERVER_CORE, children_of, move, pinned, processor_seconds, seconds_waiting

_PEERS = Path(__file__).parent.parent / "peers"
_STOPPING_SECONDS = 15
# Every request is still counted, as the peer's limiter does, but none is refused.
_WITHOUT_LIMITS = {"HEADWATER_FLOW_REQUESTS_PER_MINUTE": "1000000000"}


@dataclass(frozen=True)
class Server:
    """A running server: where it answers, and which process it is."""

    url: str
    process: int

    def processor_seconds(self) -> float:
        """What its own process used so far, Postgres not counted."""
        return processor_seconds(self.process)

    def seconds_waiting(self) -> float:
        """How long it was kept from its core so far."""
        return seconds_waiting(self.process)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(url: str, body: object = None, token: str = "") -> Any:
    """GET, or POST of a JSON body, for a JSON answer; a refusal ends the benchmark with what the server said."""
    headers = {"Content-Type": "application/json", "Prefer": "return=representation"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refusal:
        raise SystemExit(f"{url} answered {refusal.code}: {refusal.read().decode()[:500]}") from None


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float) -> None:
    """Return when `url` answers 2xx; end the benchmark with the end of the log when the process dies or time is up."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.01)
    what = f"was not ready within {seconds:.0f} s" if process.poll() is None else "ended before it was ready"
    raise SystemExit(f"the server of {url} {what}; its last words:\n{log.read_text()[-2000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a process we started to end; kill it when it has not after 15 s."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOPPING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def _running(
    command: list[str], url: str, ready: str, log: Path, environment: Mapping[str, str]
) -> Generator[tuple[Server, subprocess.Popen[bytes]]]:
    """The command on the server core, from the moment it is ready to the end of the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            pinned(command, SERVER_CORE), env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            wait_until_ready(url + ready, process, log, 60)
            yield Server(url, process.pid), process
        finally:
            stop(process)


def headwater_command(folder: Path, port: int) -> list[str]:
    """`headwater serve` of this checkout on a data folder."""
    return [sys.executable, "-m", "headwater", "serve", "--data", str(folder), "--port", str(port)]


@contextmanager
def headwater(folder: Path, environment: Mapping[str, str] | None = None) -> Generator[Server]:
    """Our server, its data in a folder `data` of `folder`, on the server core; its Postgres on the other."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = headwater_command(folder / "data", port)
    settings = {**_WITHOUT_LIMITS, **(environment or {})}
    with _running(command, url, "/ready", folder / "headwater.log", settings) as (server, process):
        for child in children_of(process.pid):
            move(child, HELPERS_CORE)
        yield server


@contextmanager
def fastify(folder: Path, keys: object, environment: Mapping[str, str] | None = None) -> Generator[Server]:
    """The peer; `keys` is the JWKS whose tokens it accepts, `environment` says where its Postgres is (PGHOST, …)."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {"NODE_ENV": "production", "PORT": str(port), "JWKS": json.dumps(keys), **(environment or {})}
    command = ["node", str(_PEERS / "server.js")]
    with _running(command, url, "/metrics", folder / "fastify.log", settings) as (server, _):
        yield server


@contextmanager
def supabase_lite(folder: Path, secret: str, environment: Mapping[str, str]) -> Generator[Server]:
    """The general peer; `secret` signs the tokens it accepts, `environment` names its database and its fixture."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    untold = {"LITE_TELEMETRY": "0", "DO_NOT_TRACK": "1"}
    settings = {"NODE_ENV": "production", "PORT": str(port), "JWT_SECRET": secret, **untold, **environment}
    command = ["node", str(_PEERS / "lite.js")]
    with _running(command, url, "/auth/v1/health", folder / "lite.log", settings) as (server, _):
        yield server


@contextmanager
def sockets_peer(folder: Path, kind: str) -> Generator[Server]:
    """A server of sockets, `socket.io` or `ws`, with one room."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {"NODE_ENV": "production", "PORT": str(port), "KIND": kind}
    command = ["node", str(_PEERS / "sockets.js")]
    with _running(command, url, "/health", folder / f"{kind}.log", settings) as (server, _):
        yield server


@contextmanager
def scoreboard_peer(folder: Path, secret: str, environment: Mapping[str, str]) -> Generator[Server]:
    """The original's scoreboard; `secret` signs the tokens it accepts, `environment` names its database and Redis."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {"NODE_ENV": "production", "PORT": str(port), "JWT_SECRET": secret, **environment}
    command = ["node", str(_PEERS / "scoreboard" / "server.js")]
    with _running(command, url, "/metrics", folder / f"scoreboard-{port}.log", settings) as (server, _):
        yield server


def install_peers() -> None:
    """The peers' packages, as their lock file has them, once."""
    if shutil.which("npm") is None:
        raise SystemExit("The benchmarks compare with servers of Node: install Node 20 or newer, then run this again.")
    installed = _PEERS / "node_modules" / ".package-lock.json"
    lock = _PEERS / "package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    print("installing the peers' packages …", flush=True)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=_PEERS, check=True)
