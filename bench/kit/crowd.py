"""A crowd of WebSocket clients: crowd.c, compiled when it is needed, so that the load is not what is measured."""

import json
import os
import resource
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.kit.machine import HELPERS_CORE, pinned

_SOURCE = Path(__file__).with_name("crowd.c")
CHANNEL = "bench"
BYTES = 200
"""Of a message's own JSON; what stands beside it is the same with everybody."""


@dataclass(frozen=True)
class Heard:
    """What a crowd saw in some seconds; latencies in milliseconds, from the publishing to the hearing."""

    published: float
    delivered: float
    """Per second, all clients together."""
    lost: int
    median: float
    p99: float


def raise_limits() -> None:
    """Let this process and what it starts open as many files as they may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def most_sockets() -> int:
    """How many connections one process may hold here, with a few files left."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 200


def compiled(folder: Path) -> Path:
    """The program, made by gcc."""
    if shutil.which("gcc") is None:
        raise SystemExit("The benchmarks of sockets need gcc: their clients must be faster than the servers.")
    program = folder / "crowd"
    if not program.exists():
        subprocess.run(["gcc", "-O2", "-o", str(program), str(_SOURCE)], check=True)
    return program


class Crowd:
    """Clients that are connected, all hearing one channel; some of them publish."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def burst(self, seconds: float, in_flight: int, size: int = BYTES) -> Heard:
        """Publish so that as many messages are under way all the time, each until everybody has it."""
        return self._heard(f"burst {seconds} {in_flight} {size}")

    def pace(self, seconds: float, per_second: float, size: int = BYTES) -> Heard:
        """Publish so many messages a second."""
        return self._heard(f"rate {seconds} {per_second} {size}")

    def begin_pace(self, seconds: float, per_second: float, size: int = BYTES) -> None:
        """Begin to publish so; `finish` waits for the end."""
        self._say(f"rate {seconds} {per_second} {size}")

    def begin_listening(self, seconds: float) -> None:
        """Begin to measure what others publish; `finish` waits for the end."""
        self._say(f"listen {seconds}")

    def finish(self) -> Heard:
        """What came of what was begun."""
        told = self._answer()
        if told["dead"]:
            raise SystemExit(f"{told['dead']} clients were lost")
        seconds = told["seconds"]
        return Heard(
            told["published"] / seconds,
            told["delivered"] / seconds,
            told["lost"],
            told["p50_us"] / 1000,
            told["p99_us"] / 1000,
        )

    def _heard(self, command: str) -> Heard:
        self._say(command)
        return self.finish()

    def _say(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the load client ended")
        return json.loads(line)

    def must_be_ready(self, count: int) -> None:
        """Return when all clients are connected; ends the benchmark where they are not let in."""
        ready = self._answer()["ready"]
        if ready != count:
            raise SystemExit(f"only {ready} of {count} clients were let in")


@dataclass(frozen=True)
class Manner:
    """How a crowd speaks: by Socket.IO with a token, or plain JSON frames; to whom, and whether it is logged."""

    kind: str = "sio"
    token: str = "none"
    channel: str = CHANNEL
    ephemeral: bool = True


@contextmanager
def crowd(folder: Path, url: str, count: int, manner: Manner, publishers: int = 1) -> Generator[Crowd]:
    """So many clients of a server, for the length of a block; `channel` "-" if they hear none."""
    arguments = [str(urlsplit(url).port), manner.kind, str(count), str(publishers), manner.token, manner.channel]
    command = pinned([str(compiled(folder)), *arguments, str(int(manner.ephemeral))], HELPERS_CORE)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        made = Crowd(process)
        try:
            made.must_be_ready(count)
            yield made
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.kill(process.pid, 9)
