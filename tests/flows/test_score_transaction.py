"""The drawings "Database Operations Flow" and "Real-time Update Flow"; docs/flows/score-transaction.md."""

import pytest

from headwater.apps.scoreboard.delivery import Broadcaster
from headwater.apps.scoreboard.renewals import Renewals
from headwater.kernel.cache import Cache
from headwater.kernel.sockets import Sockets
from tests.flows.players import APP, UPDATE, Player, as_admin, enter, hear, hear_score, told_room, watching
from tests.flows.trace import OWNER, Trace
from tests.kit.door import Door

pytestmark = pytest.mark.asyncio(loop_scope="session")
LARGEST = 2**53 - 1
AFTER_COMMIT = ("stage: invalidate", "call: Cache.*", "call: Renewals.mark", "call: Broadcaster.mark")


@pytest.fixture
def trace(trace: Trace) -> Trace:
    """Watches who is drawn beside the database: the cache, and who tells the watchers."""
    trace.watch(Cache, "forget")
    trace.watch(Cache, "refresh")
    trace.watch(Renewals, "mark")
    trace.watch(Broadcaster, "mark")
    trace.watch(Sockets, "broadcast", told_room)
    return trace


async def history(player: Player) -> list[str]:
    """The actions of a player that counted."""
    answered = await player.ask("GET", f"{APP}/api/scoreboard/user/{player.id}/history")
    return [action["actionId"] for action in answered.json["data"]["actions"]]


async def test_score_and_log_are_one_transaction_and_all_else_comes_after_it(door: Door, trace: Trace) -> None:
    player = await enter(door, "transacts")
    signed = await player.action()
    with trace.following():
        assert (await player.ask("POST", UPDATE, signed)).status == 200
    trace.must_pass(
        f"take: {OWNER}",
        "sql: begin isolation level read committed, read write",
        "sql: *insert into scoreboard.actions*",
        "sql: *insert into scoreboard.scores*update scoreboard.actions*",
        "sql: insert into system.outbox*",
        "sql: commit",
        f"give back: {OWNER}",
        *("stage: invalidate", "call: Cache.forget", "call: Renewals.mark", "call: Broadcaster.mark", "stage: respond"),
    )
    before = trace.steps[: trace.steps.index("sql: commit")]
    assert [step for step in before if step.startswith(("call: ", "broadcast: "))] == []
    assert await history(player) == [signed["actionId"]]


async def test_what_is_rolled_back_leaves_nothing_and_tells_nobody(door: Door, trace: Trace) -> None:
    player = await enter(door, "is-full")
    board = {"name": "flow-full"}
    await as_admin(door, "POST", "/api/boards", board)
    adjustments = f"/api/boards/flow-full/players/{player.id}/adjustments"
    await as_admin(door, "POST", adjustments, {"points": LARGEST})
    asked = await player.ask(
        "POST", f"{APP}/api/scoreboard/generate-action", {"board": "flow-full", "scoreIncrement": 50}
    )
    with trace.following():
        refused = await player.ask("POST", UPDATE, asked.json["data"])
    assert (refused.status, refused.json["error"]["code"]) == (409, "SCORE_UPDATE_FAILED")
    trace.must_pass("sql: begin*", "sql: *insert into scoreboard.actions*", "sql: rollback", "stage: respond")
    trace.must_not_pass("sql: commit", *AFTER_COMMIT)
    await as_admin(door, "POST", adjustments, {"points": -LARGEST})
    counted = await player.ask("POST", UPDATE, asked.json["data"])
    assert counted.json["data"]["newScore"] == 50, "the action was not used up by what was rolled back"


async def test_every_client_is_told_after_the_cache_has_forgotten(door: Door, trace: Trace) -> None:
    player = await enter(door, "is-told")
    async with watching(door) as one, watching(door) as another, watching(door) as third:
        clients = (one, another, third)
        for client in clients:
            await hear(client, "scoreboard_update")
        with trace.following_everybody():
            counted = await player.play(70)
            for client in clients:
                await hear_score(client, player, 70)
    trace.must_pass("sql: commit", "call: Cache.forget", "call: Broadcaster.mark", "broadcast: scoreboard:default")
    assert counted["newScore"] == 70
