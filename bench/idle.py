"""What a socket that says nothing costs, and whether many are held for a minute, pings and all."""

import sys
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from time import sleep

from bench.kit.crowd import crowd, most_sockets, raise_limits
from bench.kit.footprint import MEBI, resident_bytes
from bench.kit.report import Promise, conclude
from bench.kit.rooms import Hall, our_hall
from bench.kit.scratch import scratch

SOME, MANY = 5_000, 15_000
HELD_SECONDS = 60.0
_SETTLING = 2.0


def each(folder: Path, hall: Hall, count: int, channel: str) -> float:
    """KiB of the server for one of so many sockets."""
    silent = replace(hall.manner, channel=channel)
    with crowd(folder, hall.server.url, min(count, 200), silent):
        sleep(_SETTLING)
    before = resident_bytes(hall.server.process)
    with crowd(folder, hall.server.url, count, silent):
        sleep(_SETTLING)
        return (resident_bytes(hall.server.process) - before) / 1024 / count


def held(folder: Path, hall: Hall, count: int, seconds: float) -> float:
    """MiB of the server at the end of that time; a socket that is lost ends the benchmark."""
    with crowd(folder, hall.server.url, count, replace(hall.manner, channel="-")) as clients:
        clients.begin_listening(seconds)
        clients.finish()
        return resident_bytes(hall.server.process) / MEBI


def main() -> int:
    """Some, then many; 1 above a bar."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--some", type=int, default=SOME)
    parser.add_argument("--many", type=int, default=MANY)
    parser.add_argument("--seconds", type=float, default=HELD_SECONDS)
    asked = parser.parse_args()
    raise_limits()
    if asked.many > most_sockets():
        raise SystemExit(f"one process may open no more than {most_sockets()} connections here (ulimit -n)")
    with scratch() as folder:
        with our_hall(folder) as hall:
            connected = each(folder, hall, asked.some, "-")
        (folder / "again").mkdir(mode=0o755)
        (folder / "again" / "data").mkdir()
        with our_hall(folder / "again") as hall:
            listening = each(folder, hall, asked.some, hall.manner.channel)
            whole = held(folder, hall, asked.many, asked.seconds)
    print(f"{connected:.1f} KiB for a socket that is connected, {listening:.1f} KiB for one that also hears a channel")
    return conclude(
        "sockets that say nothing",
        [
            Promise(f"one of {asked.some:,}", connected, 16, "KiB", goal=12, at_most=True),
            Promise(f"{asked.many:,} held for {asked.seconds:.0f} s", whole, 1024, "MiB", at_most=True),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
