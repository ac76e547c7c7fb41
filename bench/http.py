"""Hello through the whole pipeline, beside Fastify with the same duties."""

import sys
from pathlib import Path

from bench.kit.duel import Contestant, duel, must_agree
from bench.kit.load import install_wrk
from bench.kit.report import Promise, conclude, ratio
from bench.kit.scratch import scratch
from bench.kit.servers import fastify, headwater, install_peers
from bench.kit.todos import USERS, keys_of, public_keys, same, sign_up

_PLUGINS = Path(__file__).parent / "plugins"


def main() -> int:
    """Signed-in users are greeted by both servers in turns; 1 below the bar."""
    install_wrk()
    install_peers()
    with scratch() as folder, headwater(folder, {"PYTHONPATH": str(_PLUGINS)}) as ours:
        users = sign_up(ours, keys_of(folder)["anon_key"], USERS)
        with fastify(folder, public_keys(ours)) as peer:
            contestants = [
                Contestant("Headwater", ours, same(users, "/apps/bench_hello/hello")),
                Contestant("Fastify", peer, same(users, "/hello")),
            ]
            must_agree(contestants)
            seen = duel("hello", contestants, folder)
    promise = Promise("hello, to Fastify", ratio(seen["Headwater"], seen["Fastify"]), 0.5, "×", goal=0.7)
    return conclude("hello through the whole pipeline, 32 connections", [promise])


if __name__ == "__main__":
    sys.exit(main())
