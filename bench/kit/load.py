"""The load client: wrk, replaying prepared requests over a bounded number of connections for a bounded time."""

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.kit.machine import HELPERS_CORE, pinned

_REPLAY = Path(__file__).with_name("replay.lua")
CONNECTIONS = 32


@dataclass(frozen=True)
class Ask:
    """One request: `body` is JSON text, or empty."""

    path: str
    token: str = ""
    method: str = "GET"
    body: str = ""

    def line(self) -> str:
        """The request as replay.lua reads it."""
        return f"{self.method}\t{self.path}\t{self.token}\t{self.body}"


@dataclass(frozen=True)
class Round:
    """What one burst of load saw; latencies in milliseconds."""

    per_second: float
    median: float
    p99: float


class LoadFailed(Exception):
    """Requests were refused or broken: the speed of wrong answers is no measurement."""


def install_wrk() -> None:
    """Make sure that wrk is there; as root on Debian it is installed, elsewhere the sentence says what to do."""
    if shutil.which("wrk"):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SystemExit("The benchmarks need the load generator wrk: install the package `wrk`, then run this again.")
    print("installing the load generator wrk …", flush=True)
    subprocess.run(["apt-get", "install", "-y", "-qq", "wrk"], check=True, stdout=subprocess.DEVNULL)


def prepare(asks: list[Ask], folder: Path) -> Path:
    """Write the requests into a new file of `folder`, as `burst` wants them."""
    descriptor, name = tempfile.mkstemp(".requests", dir=folder)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{ask.line()}\n" for ask in asks)
    return Path(name)


def burst(base_url: str, requests: Path, seconds: int) -> Round:
    """Ask for `seconds` over 32 connections from the helpers' core; LoadFailed if a single answer was not a success."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "5s", "-s", str(_REPLAY), base_url]
    output = subprocess.run(
        pinned([*command, "--", str(requests)], HELPERS_CORE),
        check=True,
        capture_output=True,
        text=True,
        timeout=seconds + 20,
    ).stdout
    tally = json.loads(output.strip().splitlines()[-1])
    if tally["refused"] or tally["broken"] or not tally["answered"]:
        raise LoadFailed(f"{base_url}: {tally}")
    return Round(
        per_second=tally["answered"] / tally["microseconds"] * 1e6,
        median=tally["median_us"] / 1000,
        p99=tally["p99_us"] / 1000,
    )
