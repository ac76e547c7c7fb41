"""How long /health waits while thousands of sockets are told twenty messages a second, beside node's socket.io."""

import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, sleep
from urllib.parse import urlsplit

from bench.kit.crowd import crowd, raise_limits
from bench.kit.report import Promise, conclude, ratio
from bench.kit.rooms import OURS, SOCKET_IO, Hall, our_hall, peer_hall
from bench.kit.scratch import scratch
from bench.kit.servers import install_peers

SOCKETS = 5_000
PER_SECOND = 20
SECONDS = 6.0
ROUNDS = 5
_PAUSE = 0.005


def waits(url: str, seconds: float) -> float:
    """The 99th percentile, in milliseconds, of asking /health over one connection."""
    connection = HTTPConnection(urlsplit(url).netloc)
    took: list[float] = []
    end = perf_counter() + seconds
    while perf_counter() < end:
        begun = perf_counter()
        connection.request("GET", "/health")
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"/health answers {answer.status}")
        took.append((perf_counter() - begun) * 1000)
        sleep(_PAUSE)
    connection.close()
    return quantiles(took, n=100)[98]


def measure(folder: Path, halls: dict[str, Hall], sockets: int, rounds: int) -> list[Promise]:
    """Both in turns."""
    seen: dict[str, list[float]] = {name: [] for name in halls}
    with ExitStack() as stack:
        crowds = {
            name: stack.enter_context(crowd(folder, hall.server.url, sockets, hall.manner))
            for name, hall in halls.items()
        }
        for _ in range(rounds):
            for name, hall in halls.items():
                crowds[name].begin_pace(SECONDS, PER_SECOND)
                sleep(0.5)
                seen[name].append(waits(hall.server.url, SECONDS - 1))
                heard = crowds[name].finish()
                if heard.lost:
                    raise SystemExit(f"{name} lost {heard.lost} messages")
                print(
                    f"  {name:<12} /health p99 {seen[name][-1]:>7.1f} ms, delivery p99 {heard.p99:>7.1f} ms", flush=True
                )
    return [
        Promise("p99 of /health, to socket.io", ratio(seen[OURS], seen[SOCKET_IO]), 0.5, "×", at_most=True),
        Promise("p99 of /health", median(seen[OURS]), 30, "ms", goal=10, at_most=True),
    ]


def main() -> int:
    """Both beside each other; 1 above a bar."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, default=SOCKETS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    raise_limits()
    install_peers()
    with scratch() as folder, our_hall(folder) as ours, peer_hall(folder, SOCKET_IO) as theirs:
        promises = measure(folder, {OURS: ours, SOCKET_IO: theirs}, asked.sockets, asked.rounds)
    return conclude(f"{asked.sockets:,} sockets, {PER_SECOND} messages a second", promises)


if __name__ == "__main__":
    sys.exit(main())
