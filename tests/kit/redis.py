"""Real redis-server processes of the tests' own, on unix sockets or free ports."""

import asyncio
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from headwater.kernel.ids import new_id
from headwater.kernel.observe import Observer
from headwater.kernel.redis import Redis, RedisSettings

START_WITHIN = 60.0


class RedisServer:
    """One redis-server on a unix socket in a folder of its own; `arguments` add to its settings.

    With the `configuration` of a sentinel it is one.
    """

    def __init__(self, *arguments: str, configuration: Path | None = None, password: str | None = None) -> None:
        self.password = password
        self.folder = Path(tempfile.mkdtemp(prefix="hwr"))
        self.socket = self.folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        stated = ("--dir", str(self.folder), "--unixsocket", str(self.socket), "--loglevel", "warning")
        plain = ("--port", "0", "--save", "", "--appendonly", "no")
        special = plain if configuration is None else (str(configuration), "--sentinel")
        secret = () if password is None else ("--requirepass", password)
        self.command = ["redis-server", *special, *stated, *secret, *arguments]
        self.start()

    def start(self) -> None:
        """Start the process and return once it answers."""
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + START_WITHIN
        with self.client() as client:
            while True:
                try:
                    client.ping()
                except redis.ConnectionError:
                    if self.process.poll() is not None or time.monotonic() > end:
                        self.remove()
                        raise AssertionError("redis-server did not start") from None
                    time.sleep(0.01)
                else:
                    return

    def kill(self) -> None:
        """End it with SIGKILL; what it had not saved is lost."""
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """Let it hang: it takes connections and answers nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        """End it, whatever state it is in, and remove its folder."""
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def client(self) -> Any:
        """A plain client, to look behind ours."""
        made: Any = redis.Redis
        return made(unix_socket_path=str(self.socket), password=self.password, retry=None, protocol=2)

    def open(self, observer: Observer, settings: RedisSettings | None = None, *, prefix: str = "headwater") -> Redis:
        """One of our clients, not yet started."""
        return Redis(settings or RedisSettings(prefix=prefix), self.url, observer)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One Redis for the tests that leave it running; each takes a prefix of its own."""
    server = RedisServer()
    yield server
    server.remove()


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis of the test's own, to be hurt."""
    server = RedisServer()
    yield server
    server.remove()


@pytest.fixture
def redis_prefix() -> str:
    """A prefix that no other test uses."""
    return f"t{new_id().hex}"


async def eventually(redis: Redis, *, available: bool, seconds: float = 30.0) -> None:
    """Return once Redis is, or is not, available to this client."""
    async with asyncio.timeout(seconds):
        while redis.available is not available:  # noqa: ASYNC110 - what is waited for rings no bell
            await asyncio.sleep(0.01)
