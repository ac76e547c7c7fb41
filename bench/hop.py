"""From one node to the sockets of another over Redis: how long a message takes."""

import secrets
import sys
from argparse import ArgumentParser
from pathlib import Path

from bench.kit.cluster import address_of
from bench.kit.crowd import crowd, raise_limits
from bench.kit.redis import redis
from bench.kit.report import Promise, conclude
from bench.kit.rooms import WITHOUT_LIMITS, our_hall
from bench.kit.scratch import scratch
from bench.kit.servers import Server, headwater
from headwater.kernel.database.embedded.models import DATABASE, SUPERUSER

PER_SECOND = 5_000
PUBLISHERS = 8
LISTENERS = 8
SECONDS = 10.0


def database_url(folder: Path) -> str:
    """The first node's PostgreSQL, as another node reaches it."""
    arguments = address_of(folder / "data").connect_arguments(SUPERUSER)
    return f"postgresql://{SUPERUSER}@/{DATABASE}?host={arguments['host']}&port={arguments['port']}"


def costs(nodes: tuple[Server, ...]) -> tuple[list[float], list[float]]:
    """The processor time that each used so far, and how long it waited for its core."""
    return [node.processor_seconds() for node in nodes], [node.seconds_waiting() for node in nodes]


def main() -> int:
    """Publishers at one node, listeners at the other; 1 above a bar."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--per-second", type=float, default=PER_SECOND)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    asked = parser.parse_args()
    raise_limits()
    with scratch() as folder, redis(folder) as redis_url:
        shared = {"HEADWATER_REDIS_URL": redis_url, "HEADWATER_ENCRYPTION_KEY": secrets.token_urlsafe(32)}
        second = folder / "second"
        second.mkdir(mode=0o755)
        (second / "data").mkdir()
        with our_hall(folder, shared) as one:
            joining = {**WITHOUT_LIMITS, **shared, "HEADWATER_DATABASE_URL": database_url(folder)}
            with (
                headwater(second, joining) as other,
                crowd(folder, other.url, LISTENERS, one.manner) as listeners,
                crowd(folder, one.server.url, PUBLISHERS, one.manner, PUBLISHERS) as publishers,
            ):
                publishers.pace(2, asked.per_second)
                nodes = (one.server, other)
                used, waited = costs(nodes)
                listeners.begin_listening(asked.seconds)
                here = publishers.pace(asked.seconds, asked.per_second)
                there = listeners.finish()
                cost = [(after - before) * 1e6 for after, before in zip(costs(nodes)[0], used, strict=True)]
                waited = sum(costs(nodes)[1]) - sum(waited)
    print(f"published {here.published:,.0f}/s; at home: median {here.median:.2f} ms, p99 {here.p99:.2f} ms")
    print(
        f"at the other node, {there.delivered / LISTENERS:,.0f}/s: median {there.median:.2f} ms, p99 {there.p99:.2f} ms"
    )
    each = [f"{one / (here.published * asked.seconds):.0f}" for one in cost]
    print(f"{' and '.join(each)} µs of the nodes each; they were kept from their core for {waited:.1f} s")
    return conclude(
        "a hop between two nodes over Redis",
        [
            Promise("messages", here.published, asked.per_second * 0.98, "/s"),
            Promise("p99", there.p99, 10, "ms", at_most=True),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
