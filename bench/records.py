"""Rows under row-level security with a user's token, beside peers: Fastify and pg by hand, and @supabase/lite."""

import sys
from pathlib import Path

from bench.kit.cluster import peer_environment
from bench.kit.duel import Contestant, duel, must_agree
from bench.kit.lite import lite
from bench.kit.load import Ask, install_wrk
from bench.kit.report import Promise, conclude, ratio
from bench.kit.scratch import scratch
from bench.kit.servers import Server, fastify, headwater, install_peers
from bench.kit.todos import USERS, User, by_key, insertions, keys_of, lay_out, public_keys, same, sign_up

OURS = "Headwater"
FOUR_TRIPS = "Fastify + pg, BEGIN/set_config/query/COMMIT"
ONE_TRIP = "Fastify + pg, one-trip function"
LITE = "@supabase/lite"

_COLUMNS = "select=id,owner,title,body,done,priority,created_at"


def asks(users: list[User], users_of_lite: list[User]) -> dict[str, dict[str, list[Ask]]]:
    """The works, and how each contestant wants to be asked for them."""
    ten = f"/rest/v1/todos?{_COLUMNS}&order=id&limit=10"
    return {
        "one row by key": {
            OURS: by_key(users, f"/rest/v1/todos?{_COLUMNS}&id=eq.{{id}}"),
            FOUR_TRIPS: by_key(users, "/four-trips/todos/{id}"),
            ONE_TRIP: by_key(users, "/one-trip/todos/{id}"),
            LITE: by_key(users_of_lite, f"/rest/v1/todos?{_COLUMNS}&id=eq.{{id}}"),
        },
        "ten rows": {
            OURS: same(users, ten),
            FOUR_TRIPS: same(users, "/four-trips/todos"),
            ONE_TRIP: same(users, "/one-trip/todos"),
            LITE: same(users_of_lite, ten),
        },
        "insert one row": {
            OURS: insertions(users, f"/rest/v1/new_todos?{_COLUMNS}"),
            FOUR_TRIPS: insertions(users, "/four-trips/new_todos"),
            ONE_TRIP: insertions(users, "/one-trip/new_todos"),
            LITE: insertions(users_of_lite, f"/rest/v1/new_todos?{_COLUMNS}"),
        },
    }


def measure(servers: dict[str, Server], works: dict[str, dict[str, list[Ask]]], folder: Path) -> list[Promise]:
    """The duels, and what was promised of them."""
    promises: list[Promise] = []
    for work, spelled in works.items():
        contestants = [Contestant(name, servers[name], asked) for name, asked in spelled.items()]
        must_agree(contestants)
        seen = duel(work, contestants, folder)
        four, one, general = (ratio(seen[OURS], seen[peer]) for peer in (FOUR_TRIPS, ONE_TRIP, LITE))
        if work == "insert one row":
            promises.append(Promise(f"{work}, to Fastify + pg transaction", four, 1.0, "×", goal=1.25))
        else:
            promises.append(Promise(f"{work}, to Fastify + pg with four trips", four, 1.8, "×", goal=2.2))
            promises.append(Promise(f"{work}, to Fastify + pg with one trip", one, 0.9, "×", goal=1.1))
        promises.append(Promise(f"{work}, to @supabase/lite", general, 8.0, "×"))
    return promises


def main() -> int:
    """Set the scene, measure, and tell; 1 below a bar."""
    install_wrk()
    install_peers()
    with scratch() as folder, headwater(folder) as ours:
        keys = keys_of(folder)
        users = sign_up(ours, keys["anon_key"], USERS)
        lay_out(ours, keys["admin_key"], users)
        by_hand = fastify(folder, public_keys(ours), peer_environment(folder / "data"))
        with by_hand as peer, lite(folder, users, "todos") as (general, users_of_lite):
            servers = {OURS: ours, FOUR_TRIPS: peer, ONE_TRIP: peer, LITE: general}
            promises = measure(servers, asks(users, users_of_lite), folder)
    return conclude("rows under row-level security, 32 connections", promises)


if __name__ == "__main__":
    sys.exit(main())
