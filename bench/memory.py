"""What a server in use holds in memory, and what one very large answer adds to it."""

import sys
import urllib.request

from bench.kit.footprint import MEBI, forget_peak, peak_bytes, proportional_bytes, resident_bytes
from bench.kit.report import Promise, conclude
from bench.kit.scratch import scratch
from bench.kit.servers import Server, ask, headwater
from bench.kit.todos import keys_of, lay_out, sign_up

REQUESTS = 100
ROWS = 100_000
_PATH = "/rest/v1/todos?select=id,owner,title,body,done,priority,created_at&order=id"
_LARGE = f"""
insert into todos (owner, title, body, done, priority)
select '{{owner}}', 'title ' || g, repeat('lorem ipsum ', 7), true, 1 from generate_series(1, {ROWS}) g
"""


def growth(server: Server, path: str, token: str, accept: str) -> tuple[int, int]:
    """The most that one answer added to the server's memory, and the answer's size; in bytes."""
    request = urllib.request.Request(server.url + path, headers={"Authorization": f"Bearer {token}", "Accept": accept})
    forget_peak(server.process)
    before = resident_bytes(server.process)
    size = 0
    with urllib.request.urlopen(request, timeout=60) as answer:
        while piece := answer.read(MEBI):
            size += len(piece)
    return peak_bytes(server.process) - before, size


def main() -> int:
    """A server with users and rows, a hundred requests, then the large ones; 1 above a bar."""
    with scratch() as folder, headwater(folder) as server:
        keys = keys_of(folder)
        users = sign_up(server, keys["anon_key"], 4)
        lay_out(server, keys["admin_key"], users)
        for turn in range(REQUESTS):
            ask(f"{server.url}{_PATH}&limit=10", token=users[turn % len(users)].token)
        held = proportional_bytes(server.process)
        statement = _LARGE.format(owner=users[0].id)
        ask(f"{server.url}/api/database/advance/rawsql", {"query": statement, "params": []}, keys["admin_key"])
        whole, size = growth(server, _PATH, users[0].token, "application/json")
        streamed, told = growth(server, _PATH, users[0].token, "application/x-ndjson")
    print(f"{ROWS:,} rows are {size / MEBI:.1f} MiB of JSON, {told / MEBI:.1f} MiB of lines")
    return conclude(
        "memory",
        [
            Promise(f"server and Postgres after {REQUESTS} requests", held / 1e6, 250, "MB", goal=200, at_most=True),
            Promise(f"growth by {ROWS:,} rows as JSON, to their size", whole / size, 2.0, "×", at_most=True),
            Promise(f"growth by {ROWS:,} rows as a stream", streamed / MEBI, 16, "MiB", at_most=True),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
