"""The scoreboard: reading it warm, and an update with a thousand watchers, beside the original design; a million."""

import secrets
import sys
from argparse import ArgumentParser
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from uuid import UUID

import uvloop

from bench.kit.cluster import peer_environment
from bench.kit.crowd import Crowd, Manner, crowd, raise_limits
from bench.kit.duel import Contestant, duel
from bench.kit.load import CONNECTIONS, Ask, burst, install_wrk, prepare
from bench.kit.machine import children_of, processor_seconds
from bench.kit.players import (
    PATH,
    PEERS_DATABASE,
    PEERS_PATH,
    Actions,
    events_behind,
    fill,
    must_add_up,
    our_signer,
    peers_signer,
    token_of,
    user_of,
)
from bench.kit.redis import redis
from bench.kit.report import Promise, conclude, ratio
from bench.kit.rooms import WITHOUT_LIMITS
from bench.kit.scratch import scratch
from bench.kit.servers import Server, ask, headwater, install_peers, scoreboard_peer
from headwater.kernel.database.embedded.models import SUPERUSER

FEW, MANY = 1_000, 1_000_000
WATCHERS = 1_000
ROUNDS = 7
SECONDS = 2
MOST_PER_SECOND = 3_000
OURS, PEER, JOINING = "Headwater", "Fastify, told after each update", "Fastify, told 10 times a second"
SMALL, LARGE = f"{FEW:,} players", f"{MANY:,} players"


@dataclass
class Updated:
    """One contestant's rounds of updates; processor time in microseconds for each update."""

    per_second: list[float] = field(default_factory=list[float])
    milliseconds: list[float] = field(default_factory=list[float])
    server: list[float] = field(default_factory=list[float])
    helpers: list[float] = field(default_factory=list[float])
    told: list[float] = field(default_factory=list[float])
    answered: int = 0


@dataclass
class Board:
    """A server with a scoreboard, the actions it is sent, and who watches it."""

    server: Server
    actions: Actions
    watchers: Crowd
    has_database: bool
    """Whether its database is its own, so that its processor time can be told."""
    folder: Path
    seen: Updated = field(default_factory=Updated)

    def spent(self) -> dict[int, float]:
        """Processor time so far, in seconds, by process: its own, and those of its database that are alive."""
        found = {self.server.process: self.server.processor_seconds()}
        for each in children_of(self.server.process) if self.has_database else ():
            with suppress(FileNotFoundError, ProcessLookupError):
                found[each] = processor_seconds(each)
        return found


def update(board: Board, seconds: int, *, note: bool = True) -> None:
    """One round of updates, each by another player, while everyone watches."""
    requests = prepare(board.actions.take(MOST_PER_SECOND * seconds), board.folder)
    board.watchers.begin_listening(float(seconds))
    before = board.spent()
    round_ = burst(board.server.url, requests, seconds)
    used = {process: seconds - before.get(process, 0.0) for process, seconds in board.spent().items()}
    own = used.pop(board.server.process)
    heard = board.watchers.finish()
    answered = round(round_.per_second * seconds)
    board.actions.spend(answered + CONNECTIONS)
    board.seen.answered += answered
    requests.unlink()
    if not heard.delivered:
        raise SystemExit("nobody who watches was told anything")
    if note:
        board.seen.per_second.append(round_.per_second)
        board.seen.milliseconds.append(round_.median)
        board.seen.server.append(own * 1e6 / answered)
        board.seen.helpers.append(sum(used.values()) * 1e6 / answered)
        board.seen.told.append(heard.delivered)


def take_turns(work: str, boards: dict[str, Board], rounds: int) -> None:
    """Warm each one up, then update each in turns, and tell the medians."""
    for board in boards.values():
        update(board, SECONDS, note=False)
    for _ in range(rounds):
        for board in boards.values():
            update(board, SECONDS)
    print(f"\n{work:<36} {'per second':>10} {'median ms':>10} {'server µs':>10} {'its SQL µs':>10} {'told/s':>10}")
    for name, board in boards.items():
        seen = board.seen
        sql = f"{median(seen.helpers):>10.0f}" if board.has_database else f"{'':>10}"
        figures = f"{median(seen.per_second):>10,.0f} {median(seen.milliseconds):>10.2f} {median(seen.server):>10.0f}"
        print(f"  {name:<34} {figures} {sql} {median(seen.told):>10,.0f}", flush=True)


def must_be_alike(ours: Server, peer: Server) -> None:
    """End the benchmark unless both tell the same ten."""
    told = [
        [(each["rank"], each["userId"], each["score"]) for each in ask(url)["data"]["scoreboard"]]
        for url in (f"{ours.url}{PATH}", f"{peer.url}{PEERS_PATH}")
    ]
    if told[0] != told[1] or len(told[0]) != 10:
        raise SystemExit(f"the boards differ: {told}")


def tokens_of(players: int, secret: str) -> list[tuple[UUID, str]]:
    """The first players, each with a token."""
    return [(user := user_of(number), token_of(user, secret)) for number in range(1, players + 1)]


@contextmanager
def our_board(folder: Path, secret: str, watchers: int, environment: dict[str, str]) -> Generator[Board]:
    """Our server over a data folder that is filled, with its watchers."""
    settings = {**WITHOUT_LIMITS, "HEADWATER_JWT_SECRET": secret, **environment}
    manner = Manner(kind="ws", channel="/apps/scoreboard/ws")
    with headwater(folder, settings) as server, crowd(folder, server.url, watchers, manner) as watching:
        actions = Actions(PATH, tokens_of(FEW, secret), our_signer(folder / "data"))
        yield Board(server, actions, watching, has_database=True, folder=folder)


@contextmanager
def peers_board(folder: Path, secret: str, watchers: int, environment: dict[str, str]) -> Generator[Board]:
    """A peer beside our Postgres, with its watchers."""
    database = {**peer_environment(folder / "data"), "PGUSER": SUPERUSER, "PGDATABASE": PEERS_DATABASE}
    manner = Manner(kind="ws", channel="/ws")
    with (
        scoreboard_peer(folder, secret, {**database, **environment}) as server,
        crowd(folder, server.url, watchers, manner) as watching,
    ):
        actions = Actions(PEERS_PATH, tokens_of(FEW, secret), peers_signer())
        yield Board(server, actions, watching, has_database=False, folder=folder)


def reading(ours: Server, peer: Server, folder: Path, rounds: int) -> Promise:
    """The board, warm."""
    must_be_alike(ours, peer)
    contestants = [Contestant(OURS, ours, [Ask(PATH)]), Contestant(PEER, peer, [Ask(PEERS_PATH)])]
    seen = duel("GET /api/scoreboard, warm", contestants, folder, rounds)
    return Promise("reading it warm, to Fastify", ratio(seen[OURS], seen[PEER]), 0.7, "×", goal=1.0)


def beside_the_peer(folder: Path, secret: str, rounds: int, watchers: int, *, with_redis: bool) -> list[Promise]:
    """Everything that has a peer."""
    uvloop.run(fill(folder / "data", FEW, beside=True))
    with ExitStack() as stack:
        stores = [stack.enter_context(redis(_made(folder / name))) for name in ("ours", "theirs")]
        environment = {"HEADWATER_REDIS_URL": stores[0]} if with_redis else {}
        theirs = {"REDIS": stores[1].removeprefix("unix://")}
        boards = {
            OURS: stack.enter_context(our_board(folder, secret, watchers, environment)),
            PEER: stack.enter_context(peers_board(folder, secret, watchers, theirs)),
            JOINING: stack.enter_context(peers_board(folder, secret, watchers, {**theirs, "UPDATES_PER_SECOND": "10"})),
        }
        read = reading(boards[OURS].server, boards[PEER].server, folder, rounds)
        take_turns(f"an update, {FEW:,} players, {watchers:,} watch", boards, rounds)
        print(f"  the consumers of our events are {events_behind(folder / 'data'):,} behind")
        must_add_up(folder / "data", FEW, boards[OURS].seen.answered)
        must_add_up(folder / "data", FEW, boards[PEER].seen.answered + boards[JOINING].seen.answered, peer=True)
    ours, peer, joining = (boards[name].seen.per_second for name in (OURS, PEER, JOINING))
    return [
        read,
        Promise("an update, to Fastify", ratio(ours, peer), 1.3, "×", goal=2.0),
        Promise("an update, to Fastify that joins as we do", ratio(ours, joining), 0, "×"),
    ]


def growing(folder: Path, secret: str, rounds: int, watchers: int, players: Sequence[int]) -> list[Promise]:
    """What an update costs our server and its Postgres among few and among many."""
    with ExitStack() as stack:
        boards: dict[str, Board] = {}
        for name, number in zip((SMALL, LARGE), players, strict=True):
            home = _made(folder / str(number))
            _made(home / "data")
            print(f"putting in {number:,} players …", flush=True)
            uvloop.run(fill(home / "data", number))
            boards[name] = stack.enter_context(our_board(home, secret, watchers, {}))
        take_turns(f"an update, {watchers:,} watch", boards, rounds)
        for (name, board), number in zip(boards.items(), players, strict=True):
            print(f"  {name}: the consumers are {events_behind(board.folder / 'data'):,} events behind")
            must_add_up(board.folder / "data", number, board.seen.answered)
    few, many = (
        [sum(cost) for cost in zip(boards[name].seen.server, boards[name].seen.helpers, strict=True)]
        for name in (SMALL, LARGE)
    )
    few_pace, many_pace = (boards[name].seen.per_second for name in (SMALL, LARGE))
    return [
        Promise("processor time of an update, to that among few", ratio(many, few), 1.2, "×", at_most=True),
        Promise("time between updates, to that among few", ratio(few_pace, many_pace), 1.2, "×", at_most=True),
    ]


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o755, exist_ok=True)
    return folder


def main() -> int:
    """Both parts; 1 below a bar."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--watchers", type=int, default=WATCHERS)
    parser.add_argument("--players", type=int, default=MANY, help="how many is many; 0 leaves that part out")
    parser.add_argument("--only-growth", action="store_true")
    parser.add_argument("--without-redis", action="store_true", help="ours keeps everything in its process")
    asked = parser.parse_args()
    raise_limits()
    install_wrk()
    install_peers()
    secret = secrets.token_urlsafe(48)
    promises: list[Promise] = []
    with scratch() as folder:
        if not asked.only_growth:
            promises += beside_the_peer(
                folder, secret, asked.rounds, asked.watchers, with_redis=not asked.without_redis
            )
        if asked.players:
            promises += growing(folder, secret, asked.rounds, asked.watchers, (FEW, asked.players))
    return conclude("the scoreboard, 32 connections", promises)


if __name__ == "__main__":
    sys.exit(main())
