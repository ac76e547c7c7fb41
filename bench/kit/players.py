"""The scoreboard's world: players with scores by SQL, tokens that both contestants believe, and signed actions."""

import asyncio
import base64
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import md5, sha256
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import asyncpg

from bench.kit.cluster import address_of
from bench.kit.load import Ask
from headwater.apps.scoreboard.actions import Signer
from headwater.apps.scoreboard.models import AskedAction, ScoreboardSettings
from headwater.boot.components import find_components
from headwater.boot.foundation import Ground, stand_on
from headwater.boot.settings import Settings
from headwater.kernel.clock import SystemClock
from headwater.kernel.database.embedded.models import DATABASE, SUPERUSER
from headwater.kernel.observe import Observer
from headwater.kernel.vault import Vault, VaultSettings, find_key

POINTS = 10
PATH = "/apps/scoreboard/api/scoreboard"
PEERS_PATH = "/api/scoreboard"
PEERS_DATABASE = "scoreboard_peer"
_PEERS_TABLES = Path(__file__).parent.parent / "peers" / "scoreboard" / "tables.sql"
_SCORES = """
(select n, md5('player ' || n)::uuid as id, 'player' || n as name, (n::bigint * 7919) % 250000 as score,
  '2026-01-01Z'::timestamptz + n * interval '1 second' as at from generate_series(1, {players}) n) player
"""
_OURS = f"""
set session_replication_role = replica;
insert into auth.users (id, email) select id, name || '@example.com' from {_SCORES};
insert into scoreboard.players (user_id, username) select id, name from {_SCORES};
insert into scoreboard.scores (board, season, user_id, score, standing, reached_at, revision)
  select 'default', 1, id, score, -score, at, nextval('scoreboard.revision') from {_SCORES};
vacuum analyze auth.users, scoreboard.players, scoreboard.scores;
"""
_THEIRS = f"""
insert into users (id, username, email, password) select id, name, name || '@example.com', '-' from {_SCORES};
insert into scores (user_id, score, last_updated) select id, score, at from {_SCORES};
vacuum analyze users, scores;
"""
_COUNTED = (
    "select count(*), coalesce(sum(points), 0), count(*) filter (where outcome <> 'counted') from scoreboard.actions"
)
_PEERS_COUNTED = "select count(*), coalesce(sum(score_increment), 0), 0 from action_logs"
_SUM = "select sum(score) from scoreboard.scores"
_PEERS_SUM = "select sum(score) from scores"
_BEHIND = """
select count(*) from system.cursors cursor join system.outbox event
  on event.name = 'ScoreChanged' and (event.transaction_id, event.position) > (cursor.transaction_id, cursor.position)
where cursor.consumer like 'scoreboard.%' and cursor.consumer <> 'scoreboard.tell_admins'
"""


def user_of(number: int) -> UUID:
    """The account of the player of this number, from 1."""
    return UUID(bytes=md5(f"player {number}".encode(), usedforsecurity=False).digest())


def token_of(user: UUID, secret: str) -> str:
    """A token (HS256) that is good for ten hours."""
    head = {"alg": "HS256", "typ": "JWT"}
    now = int(time.time())
    claims = {"sub": str(user), "role": "authenticated", "iat": now, "exp": now + 36_000}
    text = b".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
    return (text + b"." + _encoded(hmac.digest(secret.encode(), text, "sha256"))).decode()


def _encoded(text: bytes) -> bytes:
    return base64.urlsafe_b64encode(text).rstrip(b"=")


@dataclass
class Actions:
    """Signs actions for all players in turns, in an order without order; each is asked for once."""

    path: str
    tokens: list[tuple[UUID, str]]
    sign: Callable[[UUID], dict[str, object]]
    used: int = 0
    _order: list[int] = field(default_factory=list[int])

    def __post_init__(self) -> None:
        self._order = list(range(len(self.tokens)))
        Random(1).shuffle(self._order)

    def take(self, most: int) -> list[Ask]:
        """So many updates, signed now; `spend` says how many of them were sent."""
        asks: list[Ask] = []
        for turn in range(self.used, self.used + most):
            user, token = self.tokens[self._order[turn % len(self._order)]]
            asks.append(Ask(f"{self.path}/update", token, "POST", json.dumps(self.sign(user))))
        return asks

    def spend(self, sent: int) -> None:
        """The next actions are those of other players."""
        self.used += sent


def our_signer(folder: Path) -> Callable[[UUID], dict[str, object]]:
    """Signs as the server over this data folder does."""
    settings = Settings({})
    signer = Signer(Vault(find_key(settings.part(VaultSettings), folder)), ScoreboardSettings())
    asked = AskedAction(score_increment=POINTS)

    def sign(user: UUID) -> dict[str, object]:
        action = signer.sign(user, asked, POINTS, SystemClock().now())
        return {
            "actionId": action.action_id,
            "scoreIncrement": action.score_increment,
            "timestamp": action.timestamp,
            "actionHash": action.action_hash,
            "board": action.board,
        }

    return sign


def peers_signer() -> Callable[[UUID], dict[str, object]]:
    """Signs as the original does: a hash without a secret."""

    def sign(_user: UUID) -> dict[str, object]:
        action = secrets.token_hex(8)
        at = SystemClock().now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        digest = sha256(f"{action}-{POINTS}-{at}".encode()).hexdigest()
        return {"actionId": action, "scoreIncrement": POINTS, "timestamp": at, "actionHash": digest}

    return sign


async def _run(folder: Path, database: str, script: str) -> None:
    address = await asyncio.to_thread(address_of, folder)  # which has a loop of its own
    connection = await asyncpg.connect(**address.connect_arguments(SUPERUSER, database))
    try:
        for statement in script.split(";\n"):
            if statement.strip():
                await connection.execute(statement, timeout=600)
    finally:
        await connection.close()


async def fill(folder: Path, players: int, *, beside: bool = False) -> None:
    """Prepare a data folder with so many players and their scores; `beside` in the peer's own database too."""
    settings, clock, observer = Settings({}), SystemClock(), Observer()
    ground = Ground(settings=settings, folder=folder, components=find_components(), clock=clock, observer=observer)
    async with stand_on(ground):
        await _run(folder, DATABASE, _OURS.format(players=players))
        if beside:
            await _run(folder, SUPERUSER, f"create database {PEERS_DATABASE}")
            await _run(folder, PEERS_DATABASE, _PEERS_TABLES.read_text())
            await _run(folder, PEERS_DATABASE, _THEIRS.format(players=players))


async def _ask(folder: Path, database: str, *queries: str) -> list[Any]:
    address = await asyncio.to_thread(address_of, folder)
    connection = await asyncpg.connect(**address.connect_arguments(SUPERUSER, database))
    try:
        return [await connection.fetchrow(query) for query in queries]
    finally:
        await connection.close()


def _expected(players: int) -> int:
    return sum(number * 7919 % 250_000 for number in range(1, players + 1))


def must_add_up(folder: Path, players: int, answered: int, *, peer: bool = False) -> None:
    """End the benchmark unless every answered action is in the log, counted, and the scores are exactly their sum."""
    queries = (_PEERS_COUNTED, _PEERS_SUM) if peer else (_COUNTED, _SUM)
    logged, total = asyncio.run(_ask(folder, PEERS_DATABASE if peer else DATABASE, *queries))
    if logged[0] < answered or logged[2]:
        raise SystemExit(f"{answered} actions were answered, {logged[0]} logged, {logged[2]} of them not counted")
    if total[0] != _expected(players) + logged[1]:
        raise SystemExit(f"the scores are {total[0]} together, and should be {_expected(players) + logged[1]}")


def events_behind(folder: Path) -> int:
    """How many events the scoreboard's consumers have yet to take in, all together."""
    [row] = asyncio.run(_ask(folder, DATABASE, _BEHIND))
    return row[0]
