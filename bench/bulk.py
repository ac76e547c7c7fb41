"""Many rows at once: a thousand in one request, and a file of a million, beside what Postgres itself is fed with."""

import asyncio
import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from time import perf_counter

from bench.kit.cluster import address_of, peer_environment, run_as_superuser
from bench.kit.duel import Contestant, duel, must_agree
from bench.kit.load import install_wrk
from bench.kit.machine import SERVER_CORE, pinned
from bench.kit.report import Promise, conclude, ratio
from bench.kit.scratch import scratch
from bench.kit.servers import Server, fastify, headwater, install_peers
from bench.kit.todos import User, bulk_insertions, keys_of, lay_out, public_keys, run_sql, sign_up
from headwater.kernel.database.embedded.binaries import packaged_program
from headwater.kernel.database.logins import Login

USERS = 16
ROWS_AT_ONCE = 1_000
ROUNDS = 9
ROUND_SECONDS = 2
FILE_ROWS = 1_000_000
FILE_ROUNDS = 5
OURS = "Headwater"
BY_HAND = "Fastify + pg, json_to_recordset"

_PEOPLE = """
create table people (
  id integer primary key, name text not null, email text, age integer, made timestamptz,
  owner uuid not null
);
alter table people enable row level security;
create policy own on people for all to authenticated
  using (owner = (select auth.uid())) with check (owner = (select auth.uid()));
"""


def thousand_at_once(ours: Server, keys: dict[str, str], folder: Path) -> list[Promise]:
    """Users insert many rows with one request each, under their policies, and are told what came of them."""
    users: list[User] = sign_up(ours, keys["anon_key"], USERS)
    lay_out(ours, keys["admin_key"], users)
    with fastify(folder, public_keys(ours), peer_environment(folder / "data")) as peer:
        contestants = [
            Contestant(OURS, ours, bulk_insertions(users, "/rest/v1/new_todos?select=id,title", ROWS_AT_ONCE)),
            Contestant(BY_HAND, peer, bulk_insertions(users, "/four-trips/new_todos/bulk", ROWS_AT_ONCE)),
        ]
        must_agree(contestants)
        seen = duel(f"insert {ROWS_AT_ONCE:,} rows", contestants, folder, ROUNDS, ROUND_SECONDS)
    return [Promise(f"{ROWS_AT_ONCE:,} rows, to Fastify + pg by hand", ratio(seen[OURS], seen[BY_HAND]), 1.0, "×")]


def million_from_a_file(ours: Server, admin_key: str, folder: Path) -> list[Promise]:
    """The admin loads a file of CSV through us and, as the same role into the same table, with psql."""
    run_sql(ours, admin_key, _PEOPLE)
    file = folder / "people.csv"
    write_file(file)
    content = file.read_bytes()
    environment = peer_environment(folder / "data", Login.ADMIN)
    speeds: dict[str, list[float]] = {"through us": [], "\\copy": []}
    for _ in range(FILE_ROUNDS):
        empty(ours, admin_key, folder)
        begun = perf_counter()
        upload(ours, content, admin_key)
        speeds["through us"].append(FILE_ROWS / (perf_counter() - begun))
        empty(ours, admin_key, folder)
        begun = perf_counter()
        copy(file, environment)
        speeds["\\copy"].append(FILE_ROWS / (perf_counter() - begun))
    print(f"\n{FILE_ROWS:,} rows, {len(content) / 1e6:.0f} MB of CSV; rows a second:")
    for name, rounds in speeds.items():
        print(f"  {name:<12}", *(f"{each:>10,.0f}" for each in rounds))
    return [Promise(f"{FILE_ROWS:,} rows of CSV, to \\copy", ratio(speeds["through us"], speeds["\\copy"]), 0.8, "×")]


def write_file(file: Path) -> None:
    """The rows as CSV with a header."""
    with file.open("w") as lines:
        lines.write("id,name,email,age,made,owner\n")
        lines.writelines(
            f"{n},Name Number {n},user{n}@example.com,{n % 90},2026-01-01T00:00:00Z,"
            f"00000000-0000-4000-8000-{n % 10_000:012x}\n"
            for n in range(FILE_ROWS)
        )


def empty(ours: Server, admin_key: str, folder: Path) -> None:
    """The table without rows, and nothing of the last turn left to be written to disk."""
    run_sql(ours, admin_key, "truncate people")
    asyncio.run(run_as_superuser(address_of(folder / "data"), "checkpoint"))


def upload(ours: Server, content: bytes, admin_key: str) -> None:
    """The whole file in one request; every row must be written."""
    headers = {"Content-Type": "text/csv", "Authorization": f"Bearer {admin_key}"}
    url = f"{ours.url}/api/database/advance/bulk-upsert?table=people"
    with urllib.request.urlopen(urllib.request.Request(url, content, headers), timeout=600) as answer:
        written = json.loads(answer.read())["rowsAffected"]
    if written != FILE_ROWS:
        raise SystemExit(f"{written} of {FILE_ROWS} rows were written")


def copy(file: Path, environment: dict[str, str]) -> None:
    """The file by the wheel's own psql on our server's core, in our server's login and its role."""
    program = str(packaged_program("psql"))
    command = [program, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", "set role project_admin"]
    command += ["-c", f"\\copy people from '{file}' csv header"]
    subprocess.run(pinned(command, SERVER_CORE), env={**os.environ, **environment}, check=True, timeout=600)


def main() -> int:
    """Both ways of writing many rows; 1 below a bar."""
    install_wrk()
    install_peers()
    with scratch() as folder, headwater(folder) as ours:
        keys = keys_of(folder)
        promises = thousand_at_once(ours, keys, folder) + million_from_a_file(ours, keys["admin_key"], folder)
    return conclude("many rows at once", promises)


if __name__ == "__main__":
    sys.exit(main())
