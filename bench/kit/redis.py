"""A Redis for one measurement."""

import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from bench.kit.machine import HELPERS_CORE, pinned


@contextmanager
def redis(folder: Path) -> Generator[str]:
    """The URL of a Redis of a benchmark's own, on the helpers' core, its socket in a folder."""
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("this benchmark needs redis-server")
    socket = folder / "redis.sock"
    stated = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    with subprocess.Popen(pinned([program, *stated], HELPERS_CORE), stdout=subprocess.DEVNULL) as process:
        try:
            while not socket.exists():
                if process.poll() is not None:
                    raise SystemExit("redis-server did not start")
            yield f"unix://{socket}"
        finally:
            process.terminate()
