"""The drawing "Event-Driven Architecture"; docs/flows/score-events.md."""

import fnmatch

import pytest

from headwater.apps.scoreboard import COMPONENT, queries
from headwater.kernel.events import Dispatcher
from headwater.platform.notifications import Inbox
from headwater.platform.realtime import Publishing
from tests.flows.players import APP, UPDATE, as_admin, enter
from tests.flows.trace import Trace, noting
from tests.kit.door import Door
from tests.kit.sockets import until

pytestmark = pytest.mark.asyncio(loop_scope="session")
BOARD = "flow-events"


@pytest.fixture
def trace(trace: Trace) -> Trace:
    """Watches who is drawn: the bus of events, and what each consumer does."""
    trace.watch(Dispatcher, "tell", noting("told: {1}"))
    trace.watch(queries, "add_to_hours")
    trace.watch(Inbox, "add_notice", noting("notice: {2.kind}"))
    trace.watch(Publishing, "announce_all", noting("announce: {2} on {3}"))
    return trace


async def test_consumers_name_the_event_and_know_nobody_who_emits_it(door: Door) -> None:
    assert door.house
    consumers = {consumer.name for consumer in COMPONENT.consumers if consumer.of == "ScoreChanged"}
    assert consumers == {"scoreboard.count_hour", "scoreboard.tell_channel", "scoreboard.follow_lead"}


async def test_a_score_that_changes_is_an_event_that_others_take_up(door: Door, trace: Trace) -> None:
    player = await enter(door, "is-heard-of")
    await as_admin(door, "POST", "/api/boards", {"name": BOARD})
    asked = {"board": BOARD, "scoreIncrement": 50}
    action = (await player.ask("POST", f"{APP}/api/scoreboard/generate-action", asked)).json["data"]
    wanted = (
        "call: queries.add_to_hours",
        f"announce: score_changed on *'scoreboard:{BOARD}'*",
        "notice: scoreboard.lead_won",
    )
    with trace.following_everybody():
        assert (await player.ask("POST", UPDATE, action)).status == 200
        await until(lambda: all(fnmatch.filter(trace.steps, step) for step in wanted))
    changed = ("sql: *insert into scoreboard.scores*", "sql: insert into system.outbox*", "sql: commit")
    for reaction in wanted:
        trace.must_pass(*changed, "told: *ScoreChanged(*", reaction)
    [hour] = await hours(door)
    assert (hour["actions"], hour["points"]) == (1, 50)
    notices = (await player.ask("GET", "/api/notifications")).json["notices"]
    assert [notice["kind"] for notice in notices] == ["scoreboard.lead_won"]


async def hours(door: Door) -> list[dict[str, int]]:
    """The board's hours, once there are any."""
    told: list[dict[str, int]] = []
    while not told:
        told = (await door.ask("GET", f"{APP}/api/boards/{BOARD}/hours")).json["data"]
    return told
