"""The worlds that are measured: 200 users, 100,000 rows of theirs under row-level security, and requests for them."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from bench.kit.load import Ask
from bench.kit.servers import Server, ask

USERS = 200
OWNERS = 10_000
_ROWS_EACH = 10
_ASKS = 2_000
_KIT = Path(__file__).parent
_ONE_TRIP = _KIT.parent / "peers" / "one_trip.sql"


@dataclass(frozen=True)
class User:
    """A user who signed up, with a token good for 15 minutes."""

    id: str
    token: str


def keys_of(folder: Path, environment: Mapping[str, str] | None = None) -> Any:
    """The anon key and the admin key of the server started in `folder`, as the command line tells them."""
    command = [sys.executable, "-m", "headwater", "keys", "--data", str(folder / "data"), "--json"]
    settings = {**os.environ, **(environment or {})}
    return json.loads(subprocess.run(command, env=settings, check=True, capture_output=True, text=True).stdout)


def public_keys(server: Server) -> Any:
    """The JWKS by which the peer checks our tokens."""
    return ask(f"{server.url}/.well-known/jwks.json")


def sign_up(server: Server, anon_key: str, count: int) -> list[User]:
    """As many new users; four at a time, since each costs a password hash."""

    def one(number: int) -> User:
        account = {"email": f"user{number}@example.com", "password": f"a long sentence {number}"}
        answer = ask(f"{server.url}/api/auth/users", account, anon_key)
        return User(answer["user"]["id"], answer["accessToken"])

    with ThreadPoolExecutor(4) as hands:
        return list(hands.map(one, range(count)))


def fixture(world: str, users: list[User]) -> str:
    """The SQL of a world, `todos` or `lists`: tables with policies, indexes and rows, the first of them the users'."""
    owners = ",".join(f"'{user.id}'" for user in users)
    return (_KIT / f"{world}.sql").read_text().replace("{users}", owners)


def lay_out(server: Server, admin_key: str, users: list[User], world: str = "todos") -> None:
    """Create the tables with their policies and the peer's functions, through our own door."""
    for script in (fixture(world, users), _ONE_TRIP.read_text()):
        run_sql(server, admin_key, script)


def run_sql(server: Server, admin_key: str, script: str) -> None:
    """Carry out SQL as the admin, through our own door."""
    ask(f"{server.url}/api/database/advance/rawsql", {"query": script, "params": []}, admin_key)


def row_of(user: int, turn: int) -> int:
    """The id of one of the ten rows of a user: row g belongs to owner g mod 10,000, and ids start at 1."""
    return user + OWNERS * turn if user + turn else OWNERS * _ROWS_EACH


def by_key(users: list[User], path: str) -> list[Ask]:
    """One row by key, each user asking for their own; `path` takes the id at {id}."""
    chance = Random(1)
    picks = [(chance.randrange(len(users)), chance.randrange(_ROWS_EACH)) for _ in range(_ASKS)]
    return [Ask(path.format(id=row_of(user, turn)), users[user].token) for user, turn in picks]


def same(users: list[User], path: str) -> list[Ask]:
    """The same path for every user."""
    return [Ask(path, user.token) for user in users]


def insertions(users: list[User], path: str) -> list[Ask]:
    """One new row each, asking for its representation."""
    return [
        Ask(path, user.token, "POST", json.dumps(_new_row(user, number)))
        for number, user in enumerate(users * (_ASKS // len(users)))
    ]


def bulk_insertions(users: list[User], path: str, rows: int) -> list[Ask]:
    """As many new rows at once, asking for their representation."""
    return [
        Ask(path, user.token, "POST", json.dumps([_new_row(user, number) for number in range(rows)])) for user in users
    ]


def _new_row(user: User, number: int) -> dict[str, object]:
    return {
        "owner": user.id,
        "title": f"title number {number}",
        "body": "lorem ipsum " * 7,
        "done": number % 2 == 0,
        "priority": number % 5,
    }
