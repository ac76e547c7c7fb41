"""The server that socketio.mjs speaks to: real sockets on a real port, and a hall whose events do what they say."""

import asyncio
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import uvloop

from headwater.kernel.sockets import SocketSettings
from tests.kit.sockets import served

HURRIED = SocketSettings(ping_interval=0.5, ping_timeout=0.4)
ROOT = Path(__file__).parents[2]


async def serve() -> None:
    """Serve until standard input ends; the address is the only line of the output."""
    async with served(HURRIED) as running:
        print(running.server.url, flush=True)
        await asyncio.to_thread(sys.stdin.read)


@contextmanager
def hall_of_its_own() -> Generator[str]:
    """The address of a server in a process of its own, for the length of a block."""
    command = [sys.executable, "-m", "tests.conformance.socketio_server"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


if __name__ == "__main__":
    uvloop.run(serve())
