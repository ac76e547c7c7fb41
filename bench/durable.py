"""Logged messages into one channel that a thousand hear: each is committed, fsync on, before it is told."""

import sys
from argparse import ArgumentParser

from bench.kit.crowd import crowd, raise_limits
from bench.kit.report import Promise, conclude
from bench.kit.rooms import our_hall
from bench.kit.scratch import scratch

LISTENERS = 1_000
PUBLISHERS = 8
IN_FLIGHT = 256
SECONDS = 10.0
BAR = 1_000


def main() -> int:
    """As many as it can take, then half of the bar, and half of what it took for comparison; 1 below a bar."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--listeners", type=int, default=LISTENERS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    asked = parser.parse_args()
    raise_limits()
    with (
        scratch() as folder,
        our_hall(folder, ephemeral=False) as hall,
        crowd(folder, hall.server.url, asked.listeners, hall.manner, PUBLISHERS) as clients,
    ):
        clients.burst(2, IN_FLIGHT)
        whole = clients.burst(asked.seconds, IN_FLIGHT)
        half = clients.pace(asked.seconds, BAR / 2)
        more = clients.pace(asked.seconds, whole.published / 2)
    print(f"{whole.published:,.0f} messages/s, {whole.delivered:,.0f} deliveries/s, p99 {whole.p99:.0f} ms")
    for each in (half, more):
        print(f"{each.published:,.0f} messages/s: median {each.median:.1f} ms, p99 {each.p99:.1f} ms")
    return conclude(
        f"logged messages, {asked.listeners:,} listeners",
        [
            Promise("messages", whole.published, BAR, "/s", goal=5_000),
            Promise("lost", whole.lost + half.lost + more.lost, 0, "", at_most=True),
            Promise("p99 of the delivery at half the bar", half.p99, 100, "ms", at_most=True),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
