"""The drawing "Fraud Detection"; docs/flows/fraud-detection.md."""

from typing import Any

import pytest

from headwater.apps.scoreboard import queries
from headwater.apps.scoreboard.fraud import Fraud, rules
from headwater.apps.scoreboard.operations import Incidents
from headwater.platform.realtime import Publishing
from tests.flows.players import UPDATE, Player, as_admin, enter
from tests.flows.trace import Trace, noting
from tests.kit.door import Door
from tests.kit.sockets import until

pytestmark = pytest.mark.asyncio(loop_scope="session")
FORGERIES = 4


@pytest.fixture
def trace(trace: Trace) -> Trace:
    """Watches who is drawn: who analyses, who logs, who alerts, who counts."""
    trace.watch(Fraud, "judge")
    trace.watch(rules, "judged")
    trace.watch(queries, "update_outcome", noting("outcome: {2}"))
    trace.watch(Incidents, "open_incident")
    trace.watch(queries, "add_points")
    trace.watch(Publishing, "announce", noting("announce: {3} on {2}"))
    return trace


async def forge(player: Player) -> None:
    """Send an action with more points than were signed."""
    action: dict[str, Any] = await player.action()
    refused = await player.ask("POST", UPDATE, {**action, "scoreIncrement": 51})
    assert refused.json["error"]["code"] == "INVALID_ACTION_HASH"


async def test_an_anomaly_is_blocked_logged_and_told_to_the_admin(door: Door, trace: Trace) -> None:
    player = await enter(door, "cheats")
    for _ in range(FORGERIES):
        await forge(player)
    action = await player.action()
    with trace.following_everybody():
        refused = await player.ask("POST", UPDATE, action)
        await until(lambda: "announce: incident_opened on scoreboard:incidents" in trace.steps)
    trace.must_pass(
        "sql: begin*",
        "call: Fraud.judge",
        "call: rules.judged",
        "outcome: held",
        "call: Incidents.open_incident",
        "sql: insert into system.outbox*",
        "sql: commit",
        "announce: incident_opened on scoreboard:incidents",
    )
    trace.must_not_pass("call: queries.add_points", "stage: invalidate")
    assert (refused.status, refused.json["error"]["code"]) == (403, "ACTION_HELD")
    listed = (await as_admin(door, "GET", "/api/scoreboard/incidents?state=open"))["incidents"]
    [incident] = [incident for incident in listed if incident["userId"] == player.id]
    assert incident["reasons"][0]["code"] == "forgery"


async def test_what_is_no_anomaly_is_allowed_and_counts(door: Door, trace: Trace) -> None:
    player = await enter(door, "is-fair")
    action = await player.action()
    with trace.following():
        counted = await player.ask("POST", UPDATE, action)
    allowed = ("call: queries.add_points", "sql: commit", "stage: respond")
    trace.must_pass("call: Fraud.judge", "call: rules.judged", *allowed)
    trace.must_not_pass("outcome: *", "call: Incidents.open_incident", "announce: incident_opened*")
    assert counted.json["data"]["newScore"] == 50
