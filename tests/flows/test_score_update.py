"""The drawings "Score Update Flow" and "System Architecture"; docs/flows/score-update.md."""

import pytest

from headwater.apps.scoreboard.actions import Signer
from headwater.apps.scoreboard.delivery import Broadcaster
from headwater.apps.scoreboard.operations import Scoring
from headwater.apps.scoreboard.ranks import Ranks
from headwater.apps.scoreboard.renewals import Renewals
from headwater.flow import Request
from headwater.kernel.cache import Cache
from headwater.kernel.sockets import Sockets
from headwater.platform.identity import Identity
from tests.flows.players import APP, GENERATE, UPDATE, enter, hear_score, told_room, watching
from tests.flows.trace import Trace
from tests.kit.door import Door

pytestmark = pytest.mark.asyncio(loop_scope="session")
THROUGH = ["limit", "authenticate", "limit", "validate", "transact", "invalidate", "publish", "respond"]


@pytest.fixture
def trace(trace: Trace) -> Trace:
    """Watches who is drawn: the judge of tokens, the signer, the cache, the ranks, who tells the watchers."""
    trace.watch(Identity, "authenticate")
    for name in ("sign", "must_be_ours", "must_be_in_time"):
        trace.watch(Signer, name)
    trace.watch(Ranks, "apply")
    trace.watch(Cache, "forget")
    trace.watch(Cache, "refresh")
    trace.watch(Renewals, "mark")
    trace.watch(Broadcaster, "mark")
    trace.watch(Sockets, "broadcast", told_room)
    return trace


@pytest.mark.parametrize(("path", "operation"), [(GENERATE, Scoring.generate_action), (UPDATE, Scoring.update_score)])
async def test_the_routes_are_the_drawn_ones(door: Door, path: str, operation: object) -> None:
    request = Request("POST", path, "", {}, "127.0.0.1", NotImplemented)
    assert door.house.endpoint(request).declared.operation is operation


async def test_an_action_is_signed_and_nothing_is_written(door: Door, trace: Trace) -> None:
    player = await enter(door, "signs")
    with trace.following():
        signed = await player.action()
    trace.must_pass("stage: authenticate", "stage: validate", "stage: transact", "call: Signer.sign", "stage: respond")
    trace.must_not_pass("sql: insert*", "sql: update*", "stage: invalidate", "stage: publish")
    assert {"actionId", "scoreIncrement", "timestamp", "actionHash"} <= set(signed)


async def test_an_update_passes_the_drawn_stages(door: Door, trace: Trace) -> None:
    player = await enter(door, "updates")
    signed = await player.action()
    with trace.following():
        answered = await player.ask("POST", UPDATE, signed)
    trace.must_pass(
        "stage: authenticate",
        "call: Identity.authenticate",
        "stage: limit",
        "stage: validate",
        "stage: transact",
        "call: Signer.must_be_ours",
        "call: Signer.must_be_in_time",
        "sql: begin*",
        "sql: *insert into scoreboard.scores*",
        "sql: commit",
        "call: Ranks.apply",
        "stage: invalidate",
        "call: Cache.forget",
        "stage: publish",
        "call: Renewals.mark",
        "call: Broadcaster.mark",
        "stage: respond",
    )
    assert trace.stages == THROUGH
    assert not trace.holds_a_connection_at("call: Ranks.apply")
    assert answered.json == {
        "success": True,
        "data": {
            "userId": player.id,
            "newScore": 50,
            "rank": answered.json["data"]["rank"],
            "message": "Score updated successfully",
        },
    }


async def test_other_clients_are_told_and_the_new_score_is_in_the_cache(door: Door, trace: Trace) -> None:
    player = await enter(door, "is-watched")
    signed = await player.action()
    async with watching(door) as other:
        with trace.following_everybody():
            assert (await player.ask("POST", UPDATE, signed)).status == 200
            await hear_score(other, player, 50)
    trace.must_pass("call: Cache.forget", "call: Renewals.mark", "call: Cache.refresh")
    trace.must_pass("call: Cache.forget", "call: Broadcaster.mark", "broadcast: scoreboard:default")
    shown = await player.ask("GET", f"{APP}/api/scoreboard/user/{player.id}")
    assert shown.json["data"]["score"] == 50


async def test_the_rank_that_is_answered_is_the_one_that_is_shown(door: Door) -> None:
    first, second = await enter(door, "leads-by-far"), await enter(door, "comes-second")
    await first.play(1000)
    counted = await second.play(999)
    shown = await second.ask("GET", f"{APP}/api/scoreboard/user/{second.id}")
    assert (await first.play(1))["rank"] == 1
    assert counted["rank"] == shown.json["data"]["rank"] == 2
