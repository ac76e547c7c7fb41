"""Rows with the rows that belong to them: ten lists of five entries each, under row-level security."""

import sys

from bench.kit.cluster import peer_environment
from bench.kit.duel import Contestant, duel, must_agree
from bench.kit.lite import lite
from bench.kit.load import install_wrk
from bench.kit.report import Promise, conclude, ratio
from bench.kit.scratch import scratch
from bench.kit.servers import fastify, headwater, install_peers
from bench.kit.todos import USERS, keys_of, lay_out, public_keys, same, sign_up

OURS = "Headwater"
BY_HAND = "Fastify + pg, lateral joins in one trip"
LITE = "@supabase/lite"

ROUNDS = 9
ROUND_SECONDS = 3
_PATH = "/rest/v1/lists?select=id,title,entries(id,title,body,done,priority)&order=id&limit=10&entries.order=id"


def main() -> int:
    """All three answer the same tree in turns; 1 below a bar."""
    install_wrk()
    install_peers()
    with scratch() as folder, headwater(folder) as ours:
        keys = keys_of(folder)
        users = sign_up(ours, keys["anon_key"], USERS)
        lay_out(ours, keys["admin_key"], users, "lists")
        by_hand = fastify(folder, public_keys(ours), peer_environment(folder / "data"))
        with by_hand as peer, lite(folder, users, "lists") as (general, users_of_lite):
            contestants = [
                Contestant(OURS, ours, same(users, _PATH)),
                Contestant(BY_HAND, peer, same(users, "/one-trip/lists")),
                Contestant(LITE, general, same(users_of_lite, _PATH)),
            ]
            must_agree(contestants)
            seen = duel("ten lists of five entries", contestants, folder, ROUNDS, ROUND_SECONDS)
    return conclude(
        "two levels under row-level security, 32 connections",
        [
            Promise("10 × 5 rows, to @supabase/lite", ratio(seen[OURS], seen[LITE]), 5.0, "×"),
            Promise("10 × 5 rows, to Fastify + pg by hand", ratio(seen[OURS], seen[BY_HAND]), 0.8, "×", goal=1.0),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
