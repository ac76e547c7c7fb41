"""The drawings "Write-Through Caching" and "Cache Invalidation Flow"; docs/flows/write-through.md."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from headwater.apps.scoreboard import queries
from headwater.apps.scoreboard.delivery import Broadcaster
from headwater.apps.scoreboard.models.caching import SCORES, TOPS, KnownScore, ScoreOf, TopOf
from headwater.apps.scoreboard.operations import Caching, Standings
from headwater.apps.scoreboard.renewals import Renewals
from headwater.kernel.bus import Nodes
from headwater.kernel.cache import MISSING, Cache
from headwater.kernel.cache.memory import Memory
from headwater.kernel.cache.shared import Shared
from headwater.kernel.database import Transactions
from headwater.kernel.sockets import Sockets
from tests.flows.players import APP, UPDATE, Player, enter, hear_score, part_of, told_room, watching
from tests.flows.trace import Trace, noting
from tests.kit.door import Door
from tests.kit.sockets import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.needs("redis-server")]


@pytest.fixture
def trace(trace: Trace) -> Trace:
    """Watches who is drawn: the caches, the other nodes, the statement that reads the score, the broadcast."""
    trace.watch(Cache, "forget", noting("forget: {1}"))
    trace.watch(Shared, "remove", noting("redis forgets: {1}"))
    trace.watch(Shared, "fill", noting("redis told: {1.name}"))
    trace.watch(Memory, "put", noting("memory told: {1}"))
    trace.watch(Nodes, "tell_all", noting("nodes told: {1}"))
    trace.watch(queries, "find_scores")
    trace.watch(queries, "list_top")
    trace.watch(Renewals, "mark")
    trace.watch(Broadcaster, "mark")
    trace.watch(Sockets, "broadcast", told_room)
    return trace


def name_of(player: Player) -> str:
    """What a player's score is called in its family."""
    return ScoreOf("default", 1, UUID(player.id)).name


def cache_of(door: Door) -> Cache:
    """The cache of the house."""
    return part_of(door, "/api/cache/stats", Caching).cache


async def shown(player: Player) -> int:
    """The score that anybody is told of him."""
    answered = await player.ask("GET", f"{APP}/api/scoreboard/user/{player.id}")
    assert answered.status == 200, answered.body
    return answered.json["data"]["score"]


async def test_an_update_invalidates_writes_through_and_broadcasts_in_this_order(
    cached_door: Door, trace: Trace
) -> None:
    player = await enter(cached_door, "writes-through")
    action, top, score = await player.action(), TOPS.key(TopOf("default", 1).name), SCORES.key(name_of(player))
    async with watching(cached_door) as other:
        with trace.following_everybody():
            assert (await player.ask("POST", UPDATE, action)).status == 200
            await hear_score(other, player, 50)
            await until(lambda: f"memory told: {score}" in trace.steps)
    committed = ("sql: *insert into scoreboard.scores*", "sql: commit")
    trace.must_pass(
        *committed,
        f"forget: *{top}*{score}*",
        f"redis forgets: *{top}*{score}*",
        "nodes told: cache",
        "call: Renewals.mark",
    )
    renewed = ("call: queries.find_scores", f"redis told: *{score}", f"memory told: {score}")
    trace.must_pass("call: Renewals.mark", *renewed)
    trace.must_pass("call: Renewals.mark", "call: Broadcaster.mark", "call: queries.list_top", f"memory told: {top}")
    trace.must_pass(f"memory told: {top}", "broadcast: scoreboard:default")


async def test_whoever_asks_then_finds_the_new_score_in_memory(cached_door: Door, trace: Trace) -> None:
    player, cache = await enter(cached_door, "is-remembered"), cache_of(cached_door)
    await player.play(60)
    await until(lambda: cache.peek(SCORES, name_of(player)) is not MISSING)
    with trace.following():
        assert await shown(player) == 60
    trace.must_not_pass("call: queries.find_scores", "redis *")


async def test_of_two_updates_at_once_the_older_score_is_never_remembered(
    cached_door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    player, cache = await enter(cached_door, "is-quick"), cache_of(cached_door)
    read, may_go = asyncio.Event(), asyncio.Event()
    load = Standings.load_scores
    found: list[int] = []

    async def held(
        standings: Standings, transactions: Transactions, asked: Sequence[ScoreOf]
    ) -> dict[ScoreOf, KnownScore]:
        loaded = await load(standings, transactions, asked)
        found.extend(known.score for known in loaded.values())
        if len(found) == 1:
            read.set()
            await may_go.wait()
        return loaded

    with monkeypatch.context() as patch:
        patch.setattr(Standings, "load_scores", held)
        await player.play(50)
        await read.wait()
        await player.play(20)
        assert await shown(player) == 70
        may_go.set()
        await until(lambda: len(found) >= 3)
    known = cache.peek(SCORES, name_of(player))
    assert found[0] == 50
    assert isinstance(known, KnownScore) and known.score == 70
    cache.distrust()
    assert await shown(player) == 70, "nor does Redis have the old one"


async def test_a_season_that_begins_leaves_no_score_of_the_one_before(cached_door: Door) -> None:
    player = await enter(cached_door, "begins-anew")
    board = {"name": "flow-seasons"}
    admin = cached_door.keys.admin_key
    assert (await cached_door.ask_as(admin, "POST", f"{APP}/api/boards", board)).status == 201
    asked = {"board": "flow-seasons", "scoreIncrement": 50}
    action = (await player.ask("POST", f"{APP}/api/scoreboard/generate-action", asked)).json["data"]
    assert (await player.ask("POST", UPDATE, action)).status == 200
    route = f"{APP}/api/scoreboard/user/{player.id}?board=flow-seasons"
    assert (await player.ask("GET", route)).json["data"]["score"] == 50
    assert (await cached_door.ask_as(admin, "POST", f"{APP}/api/boards/flow-seasons/reset")).status == 200
    told = (await player.ask("GET", route)).json["data"]
    assert (told["score"], told["rank"]) == (0, None)
