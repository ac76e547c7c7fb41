"""Ephemeral messages to everybody in a room, one and eight under way, beside node's socket.io and ws."""

import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench.kit.crowd import Crowd, crowd, raise_limits
from bench.kit.report import Promise, conclude, ratio
from bench.kit.rooms import OURS, SOCKET_IO, WS, Hall, our_hall, peer_hall
from bench.kit.scratch import scratch
from bench.kit.servers import install_peers

BARS = {100: (1.2, 1.5), 1_000: (1.3, 1.9), 5_000: (1.5, 2.0)}
"""To socket.io with one message under way: the bar and the goal."""
AT_ONCE = 8
ROUNDS = 7
SECONDS = 1.5


def duel(halls: dict[str, Hall], crowds: dict[str, Crowd], in_flight: int, rounds: int) -> dict[str, list[float]]:
    """Each one's deliveries a second by round, in turns; a lost message ends the benchmark."""
    seen: dict[str, list[float]] = {name: [] for name in halls}
    cost: dict[str, list[float]] = {name: [] for name in halls}
    for _ in range(rounds):
        for name, hall in halls.items():
            used = hall.server.processor_seconds()
            heard = crowds[name].burst(SECONDS, in_flight)
            if heard.lost:
                raise SystemExit(f"{name} lost {heard.lost} messages")
            seen[name].append(heard.delivered)
            cost[name].append((hall.server.processor_seconds() - used) * 1e6 / (heard.delivered * SECONDS))
    for name in halls:
        print(f"  {name:<20} {median(seen[name]):>12,.0f} messages/s {median(cost[name]):>8.2f} µs of the server each")
    return seen


def measure(folder: Path, halls: dict[str, Hall], counts: list[int], rounds: int) -> list[Promise]:
    """Rooms of every size."""
    promises: list[Promise] = []
    for count in counts:
        with ExitStack() as stack:
            crowds = {
                name: stack.enter_context(crowd(folder, hall.server.url, count, hall.manner))
                for name, hall in halls.items()
            }
            print(f"\n{count:,} in the room, one message under way", flush=True)
            one = duel(halls, crowds, 1, rounds)
            print(f"{count:,} in the room, {AT_ONCE} under way", flush=True)
            many = duel(halls, crowds, AT_ONCE, rounds)
        bar, goal = BARS.get(count, (1.0, None))
        promises += [
            Promise(f"{count:,}, one under way, to socket.io", ratio(one[OURS], one[SOCKET_IO]), bar, "×", goal=goal),
            Promise(
                f"{count:,}, {AT_ONCE} under way, to socket.io", ratio(many[OURS], many[SOCKET_IO]), 5, "×", goal=10
            ),
            Promise(f"{count:,}, {AT_ONCE} under way, to ws", ratio(many[OURS], many[WS]), 4, "×", goal=8),
        ]
    return promises


def main() -> int:
    """All three beside each other; 1 below a bar."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=list(BARS))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    raise_limits()
    install_peers()
    with scratch() as folder, ExitStack() as stack:
        halls = {
            OURS: stack.enter_context(our_hall(folder)),
            SOCKET_IO: stack.enter_context(peer_hall(folder, SOCKET_IO)),
            WS: stack.enter_context(peer_hall(folder, WS)),
        }
        return conclude("fan-out of 200 bytes", measure(folder, halls, asked.counts, asked.rounds))


if __name__ == "__main__":
    sys.exit(main())
