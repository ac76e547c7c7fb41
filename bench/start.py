"""How long a stranger waits: from the command to the first 200 of /ready, on an empty data folder and on a used one."""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from bench.kit.report import Promise, conclude
from bench.kit.scratch import scratch
from bench.kit.servers import free_port, headwater_command, stop, wait_until_ready

ROUNDS = 3


def seconds_to_ready(folder: Path) -> float:
    """Start the server on `folder / "data"` with nothing pinned, as a user would, and stop it again."""
    port = free_port()
    log = folder / "headwater.log"
    with log.open("wb") as output:
        begun = time.perf_counter()
        process = subprocess.Popen(headwater_command(folder / "data", port), stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/ready", process, log, 60)
            return time.perf_counter() - begun
        finally:
            stop(process)


def main() -> int:
    """Each round has a data folder of its own; 1 when a median is above its bar."""
    first: list[float] = []
    warm: list[float] = []
    for _ in range(ROUNDS):
        with scratch() as folder:
            first.append(seconds_to_ready(folder))
            warm.append(seconds_to_ready(folder))
    for name, rounds in (("first starts:", first), ("warm starts:", warm)):
        print(name, *(f"{seconds:.2f} s" for seconds in rounds))
    return conclude(
        "from the command to /ready",
        [
            Promise("first start", median(first), 10.0, "s", goal=5.0, at_most=True),
            Promise("warm start", median(warm), 2.0, "s", goal=1.0, at_most=True),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
